package kiln.tui.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import kiln.kernels.probe.Vectors;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.KilnException.Category;
import kiln.runtime.base.Selection;
import kiln.runtime.check.KernelSelfTest;
import kiln.runtime.check.PictureSelfTest;
import kiln.runtime.check.SelfTest;
import kiln.runtime.engine.Devices;
import kiln.runtime.engine.EngineOptions;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** {@code kiln selftest}: whether this machine computes what it should. */
@CommandLine.Command(
        name = "selftest",
        description = "Compare every operation of the executor, and every kernel and instruction of a graphics card, with plain Java;"
                + " exit code 8 when one is wrong.")
final class SelftestCommand extends Command {
    @ArgGroup(validate = false, heading = "%nGraphics card:%n", order = 80)
    DeviceFlags device = new DeviceFlags();

    @Option(
            names = "--only",
            paramLabel = "WORDS",
            description = "Only what has all these words in its name: 'kernel: gemm', 'instruction: add', 'op: attention', 'picture: apple'.")
    String only;

    @Option(names = "--pictures", description = "Also draw some pictures with the demo model and compare them with PyTorch's.")
    boolean pictures;

    @Option(
            names = "--vectors",
            paramLabel = "DIR",
            description = "Also write what the card's instructions gave into this folder, as sm_90.vectors, for Kiln's own tests.")
    Path vectors;

    @Option(
            names = "--json",
            description = "{\"device\", \"ops\": [{\"op\", \"case\", \"error\", \"allowed\", \"ok\"}], \"kernels\": [{\"kernel\", \"variant\", …}],"
                    + " \"pictures\": [{\"picture\", …}]}")
    boolean json;

    private final Set<String> notices = new HashSet<>();

    SelftestCommand(CliContext context) {
        super(context);
    }

    @Override
    int run() {
        Places places = global.places(context);
        EngineOptions options = global.engineOptions(places, null, device);
        Selection selection = Selection.of(only);
        if (pictures && places.demoModel() == null) {
            throw new KilnException(Category.NOT_FOUND, "--pictures needs the demo model, which was left out here");
        }
        if (vectors != null && !Devices.useCard(options)) {
            throw KilnException.badRequest("--vectors needs a graphics card");
        }
        SelfTest.Outcome ops = SelfTest.run(options, selection, this::note, this::print);
        KernelSelfTest.Result kernels = kernels(options, selection);
        List<PictureSelfTest.Case> drawn = pictures ? drawn(options, places.demoModel(), selection) : List.of();
        long cases = ops.cases().size() + kernels.cases().size() + drawn.size();
        if (cases == 0) {
            throw KilnException.badRequest("--only '" + only + "' fits nothing");
        }
        Path written = vectors == null ? null : write(kernels.vectors());
        long failed = ops.cases().stream().filter(result -> !result.ok()).count()
                + kernels.cases().stream().filter(result -> !result.ok()).count()
                + drawn.stream().filter(result -> !result.ok()).count();
        if (json) {
            Json.print(context.out(), out -> write(out, ops, kernels, drawn));
        } else {
            if (written != null) {
                context.out().println("what the instructions gave is in " + written);
            }
            summarize(device(ops, kernels), kernels.leftOut(), cases, failed);
        }
        return failed == 0 ? 0 : Category.DEVICE.exitCode();
    }

    private KernelSelfTest.Result kernels(EngineOptions options, Selection selection) {
        if (!Devices.useCard(options)) {
            return KernelSelfTest.Result.NONE;
        }
        return KernelSelfTest.run(options, selection, this::print);
    }

    private Path write(Vectors taken) {
        if (taken == null) {
            throw KilnException.badRequest("--vectors needs instructions among what --only chooses: 'instruction:'");
        }
        try {
            return taken.write(vectors);
        } catch (IOException e) {
            throw new KilnException(Category.STORAGE, "cannot write to " + vectors + " (" + e.getMessage() + "): name another folder", e);
        }
    }

    private List<PictureSelfTest.Case> drawn(EngineOptions options, Path demo, Selection selection) {
        return PictureSelfTest.run(
                options,
                demo,
                selection,
                this::note,
                result -> print(result.ok(), "picture", result.name(), result.error(), result.allowed(), result.message()));
    }

    private void note(String notice) {
        if (notices.add(notice)) {
            context.err().println("kiln: " + notice);
        }
    }

    /** What was tested, for people. */
    private static String device(SelfTest.Outcome ops, KernelSelfTest.Result kernels) {
        return ops.device().isEmpty() ? kernels.card() : ops.device();
    }

    private void summarize(String tested, int leftOut, long cases, long failed) {
        if (leftOut > 0) {
            context.out().println(Quantities.count(leftOut, "kernel") + " left out: this card is too old for them");
        }
        String on = tested.isEmpty() ? "" : " on " + tested;
        if (failed == 0) {
            context.out().println("all " + cases + " cases agree with plain Java" + (pictures ? " and PyTorch" : "") + on);
        } else {
            context.out().println(failed + " of " + cases + " cases are wrong" + on + ": --executor reference works anywhere, slowly");
        }
    }

    private static void write(
            JsonGenerator out, SelfTest.Outcome ops, KernelSelfTest.Result kernels, List<PictureSelfTest.Case> pictures) throws IOException {
        out.writeStartObject();
        out.writeStringField("device", device(ops, kernels));
        out.writeArrayFieldStart("ops");
        for (SelfTest.Case result : ops.cases()) {
            out.writeStartObject();
            out.writeStringField("op", result.op());
            write(out, result.name(), result.error(), result.allowed(), result.ok(), result.message());
        }
        out.writeEndArray();
        out.writeArrayFieldStart("kernels");
        for (KernelSelfTest.Case result : kernels.cases()) {
            out.writeStartObject();
            out.writeStringField("kernel", result.kernel());
            out.writeStringField("variant", result.variant());
            write(out, result.name(), result.error(), result.allowed(), result.ok(), result.message());
        }
        out.writeEndArray();
        out.writeArrayFieldStart("pictures");
        for (PictureSelfTest.Case result : pictures) {
            out.writeStartObject();
            write(out, result.name(), result.error(), result.allowed(), result.ok(), result.message());
        }
        out.writeEndArray();
        out.writeNumberField("kernelsLeftOut", kernels.leftOut());
        out.writeEndObject();
    }

    /** The fields that every case has, and the end of its object. */
    private static void write(JsonGenerator out, String name, double error, double allowed, boolean ok, String message) throws IOException {
        out.writeStringField("case", name);
        if (Double.isFinite(error)) {
            out.writeNumberField("error", error);
        } else {
            out.writeNullField("error");
        }
        out.writeNumberField("allowed", allowed);
        out.writeBooleanField("ok", ok);
        if (message != null) {
            out.writeStringField("message", message);
        }
        out.writeEndObject();
    }

    private void print(SelfTest.Case result) {
        print(result.ok(), result.op(), result.name(), result.error(), result.allowed(), result.message());
    }

    private void print(KernelSelfTest.Case result) {
        print(result.ok(), result.kernel(), result.variant() + ", " + result.name(), result.error(), result.allowed(), result.message());
    }

    private void print(boolean ok, String what, String name, double error, double allowed, String message) {
        if (json) {
            return;
        }
        String figures = String.format(Locale.ROOT, "%.1e of %.1e", error, allowed);
        String text = Objects.requireNonNullElse(message, "").lines().findFirst().orElse("");
        String tail = Double.isNaN(error) && !text.isEmpty() ? text : text.isEmpty() ? figures : figures + ": " + text;
        context.out().println(String.format(Locale.ROOT, "%-6s %-18s %-36s %s", ok ? "ok" : "WRONG", what, name, tail));
    }
}
