package kiln.tui.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import kiln.runtime.KilnException.Category;
import kiln.runtime.SelfTest;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** {@code kiln selftest}: whether this machine computes what it should. */
@CommandLine.Command(
        name = "selftest",
        description = "Compare every operation of the executor with plain Java; exit code 8 when one is wrong.")
final class SelftestCommand extends Command {
    @ArgGroup(validate = false, heading = "%nGraphics card:%n", order = 80)
    DeviceFlags device = new DeviceFlags();

    @Option(names = "--json", description = "{\"device\", \"ops\": [{\"op\", \"case\", \"error\", \"allowed\", \"ok\"}]}")
    boolean json;

    SelftestCommand(CliContext context) {
        super(context);
    }

    @Override
    int run() {
        Set<String> notices = new HashSet<>();
        SelfTest.Outcome outcome = SelfTest.run(
                global.engineOptions(global.places(context), null, device),
                notice -> {
                    if (notices.add(notice)) {
                        context.err().println("kiln: " + notice);
                    }
                },
                result -> {
                    if (!json) {
                        print(result);
                    }
                });
        List<SelfTest.Case> cases = outcome.cases();
        long failed = cases.stream().filter(result -> !result.ok()).count();
        if (json) {
            Json.print(context.out(), out -> {
                out.writeStartObject();
                out.writeStringField("device", outcome.device());
                out.writeArrayFieldStart("ops");
                for (SelfTest.Case result : cases) {
                    write(out, result);
                }
                out.writeEndArray();
                out.writeEndObject();
            });
        } else {
            context.out().println(failed == 0
                    ? "all " + cases.size() + " cases agree with plain Java on " + outcome.device()
                    : failed + " of " + cases.size() + " cases are wrong on " + outcome.device()
                            + ": --executor reference works anywhere, slowly");
        }
        return failed == 0 ? 0 : Category.DEVICE.exitCode();
    }

    private static void write(JsonGenerator out, SelfTest.Case result) throws IOException {
        out.writeStartObject();
        out.writeStringField("op", result.op());
        out.writeStringField("case", result.name());
        if (Double.isFinite(result.error())) {
            out.writeNumberField("error", result.error());
        } else {
            out.writeNullField("error");
        }
        out.writeNumberField("allowed", result.allowed());
        out.writeBooleanField("ok", result.ok());
        if (result.message() != null) {
            out.writeStringField("message", result.message());
        }
        out.writeEndObject();
    }

    private void print(SelfTest.Case result) {
        String error = result.message() == null
                ? String.format(Locale.ROOT, "%.1e of %.1e", result.error(), result.allowed())
                : result.message().lines().findFirst().orElse("");
        context.out().println(String.format(
                Locale.ROOT, "%-6s %-18s %-36s %s", result.ok() ? "ok" : "WRONG", result.op(), result.name(), error));
    }
}
