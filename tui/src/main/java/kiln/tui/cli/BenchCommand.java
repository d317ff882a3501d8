package kiln.tui.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import kiln.runtime.base.ByteSize;
import kiln.runtime.base.DeviceUse;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.Selection;
import kiln.runtime.check.Bench;
import kiln.runtime.check.CardBench;
import kiln.runtime.engine.Devices;
import kiln.runtime.engine.Engine;
import kiln.runtime.engine.EngineOptions;
import kiln.runtime.exec.cuda.library.ProductTimes;
import kiln.runtime.job.GenerationRequest;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** {@code kiln bench}: how fast this machine is. */
@CommandLine.Command(
        name = "bench",
        description = "Time one CFG step (batch 2), the decode and the text encoder; on a graphics card also its kernels one by one.")
final class BenchCommand extends Command {
    private static final int MOST_RUNS = 10_000;

    @ArgGroup(validate = false, heading = "%nGraphics card:%n", order = 80)
    DeviceFlags device = new DeviceFlags();

    @Option(names = {"-W", "--width"}, paramLabel = "PIXELS", description = "Default: what the model is made for, else 512.")
    Integer width;

    @Option(names = {"-H", "--height"}, paramLabel = "PIXELS", description = "Default: what the model is made for, else 512.")
    Integer height;

    @Option(names = "--runs", paramLabel = "N", description = "Timed runs of each, after one that is not counted. Default: 3.")
    int runs = 3;

    @Option(
            names = "--kernels",
            description = "Time the card's kernels instead: each launch of a step and of the decoder once, attention, copies.")
    boolean kernels;

    @Option(names = "--only", paramLabel = "WORDS", description = "With --kernels: only what has all these words in its line: 'denoiser gemm'.")
    String only;

    @Option(names = "--quick", description = "With --kernels: launch each only once, as an emulated card is slow; the times say little then.")
    boolean quick;

    @Option(
            names = "--compare-budget",
            paramLabel = "SIZE",
            description = "Time once more with this --vram-budget, and tell how much slower that is.")
    String compareBudget;

    @Option(
            names = "--json",
            description = "{\"unetStep\": {\"median\", \"min\"}, \"vaeDecode\", \"textEncode\", \"stepsPerSecond\", \"dtype\","
                    + " \"peakResidentBytes\", \"deviceUse\": {\"name\", \"residency\", \"usedBytes\", \"peakBytes\", \"freeBytes\","
                    + " \"totalBytes\"}, \"streamedBytesPerStep\", \"products\", \"notices\"}; seconds")
    boolean json;

    private final Set<String> notices = new LinkedHashSet<>();

    BenchCommand(CliContext context) {
        super(context);
    }

    @Override
    int run() {
        if (runs < 1 || runs > MOST_RUNS) {
            throw KilnException.badRequest("--runs " + runs + " is outside 1 to " + MOST_RUNS);
        }
        if (!kernels && (only != null || quick)) {
            throw KilnException.badRequest((quick ? "--quick" : "--only") + " means nothing without --kernels");
        }
        if (kernels && compareBudget != null) {
            throw KilnException.badRequest("--kernels and --compare-budget are two things: give one");
        }
        long budget = budget();
        EngineOptions options = global.engineOptions(global.places(context), null, device);
        if (compareBudget != null && !Devices.useCard(options)) {
            throw new KilnException(KilnException.Category.DEVICE, "--compare-budget needs a graphics card, and none can be used (kiln doctor says why)");
        }
        Path model;
        try (Engine engine = new Engine(options)) {
            model = engine.defaultModel();
        }
        GenerationRequest.Builder size = Engine.defaultsOf(model).builder();
        if (width != null) {
            size.width(width);
        }
        if (height != null) {
            size.height(height);
        }
        GenerationRequest request = size.build();
        if (kernels) {
            KernelBenchReport report = new KernelBenchReport(context, model, request.width(), request.height());
            report.print(
                    CardBench.kernels(options, model, request.width(), request.height(), Selection.of(only), quick, report::progress), json);
            return 0;
        }
        Bench.Result result = time(options, model, request);
        BudgetComparison comparison = compareBudget == null
                ? null
                : new BudgetComparison(budget, result, time(withBudget(options, budget), model, request), CardBench.busRate(options));
        if (json) {
            Json.print(context.out(), out -> {
                out.writeStartObject();
                write(out, result);
                out.writeArrayFieldStart("notices");
                for (String notice : notices) {
                    out.writeString(notice);
                }
                out.writeEndArray();
                out.writeStringField("model", model.toString());
                out.writeNumberField("width", request.width());
                out.writeNumberField("height", request.height());
                out.writeNumberField("runs", runs);
                if (comparison != null) {
                    out.writeObjectFieldStart("compared");
                    write(out, comparison.limited());
                    comparison.write(out);
                    out.writeEndObject();
                }
                out.writeEndObject();
            });
        } else {
            context.out().println(model.getFileName() + ", " + request.width() + "x" + request.height() + ", " + result.device());
            print(result);
            ProductTimes products = result.products();
            if (products != null) {
                context.out().println("cuBLAS was faster for " + products.cublasWins(null) + " of " + products.cublasProducts()
                        + " matrix products, cuDNN for " + products.cudnnWins(null) + " of " + products.cudnnProducts()
                        + " convolutions: they are used for those from now on");
            }
            if (comparison != null) {
                context.out().println("with --vram-budget " + compareBudget);
                print(comparison.limited());
                comparison.lines().forEach(context.out()::println);
            }
            context.out().println("peak resident memory: "
                    + (result.peakResidentBytes() < 0 ? "unknown" : Quantities.bytes(result.peakResidentBytes())));
        }
        return 0;
    }

    private long budget() {
        try {
            return compareBudget == null ? 0 : ByteSize.parse(compareBudget);
        } catch (IllegalArgumentException e) {
            throw KilnException.badRequest("--compare-budget " + e.getMessage());
        }
    }

    private static EngineOptions withBudget(EngineOptions options, long budget) {
        return new EngineOptions(
                options.modelFiles(),
                options.modelFolders(),
                options.demoModel(),
                options.outputFolder(),
                options.cacheFolder(),
                options.executor(),
                options.precision(),
                options.threads(),
                options.device().toBuilder().vramBudgetBytes(budget).build());
    }

    private Bench.Result time(EngineOptions options, Path model, GenerationRequest request) {
        return Bench.run(
                options,
                model,
                request.width(),
                request.height(),
                runs,
                what -> {
                    if (context.errIsTty()) {
                        context.err().println("timing the " + what + "…");
                    }
                },
                notice -> {
                    if (notices.add(notice)) {
                        context.err().println("kiln: " + notice);
                    }
                });
    }

    private static void write(JsonGenerator out, Bench.Result result) throws IOException {
        write(out, "unetStep", result.unetStep());
        write(out, "vaeDecode", result.vaeDecode());
        write(out, "textEncode", result.textEncode());
        out.writeStringField("dtype", result.dtype());
        out.writeStringField("device", result.device());
        out.writeNumberField("peakResidentBytes", result.peakResidentBytes());
        out.writeNumberField("stepsPerSecond", result.stepsPerSecond());
        out.writeFieldName("deviceUse");
        DeviceJson.write(out, result.device(), result.deviceUse());
        out.writeNumberField("streamedBytesPerStep", result.streamedBytesPerStep());
        writeProducts(out, result.products());
    }

    private static void writeProducts(JsonGenerator out, ProductTimes products) throws IOException {
        if (products == null) {
            out.writeNullField("products");
            return;
        }
        out.writeObjectFieldStart("products");
        for (Map.Entry<String, ProductTimes.Times> product : new TreeMap<>(products.products()).entrySet()) {
            out.writeObjectFieldStart(product.getKey());
            out.writeNumberField("ownMicroseconds", product.getValue().own());
            out.writeNumberField("libraryMicroseconds", product.getValue().library());
            out.writeEndObject();
        }
        out.writeEndObject();
    }

    private static void write(JsonGenerator out, String name, Bench.Timing timing) throws IOException {
        out.writeObjectFieldStart(name);
        out.writeNumberField("median", timing.median());
        out.writeNumberField("min", timing.min());
        out.writeEndObject();
    }

    private void print(Bench.Result result) {
        print("CFG step (batch 2)", result.unetStep(), String.format(Locale.ROOT, "  %.2f it/s", result.stepsPerSecond()));
        print("decode", result.vaeDecode(), "");
        print("text encoder", result.textEncode(), "");
        DeviceUse use = result.deviceUse();
        if (use != null) {
            String streamed = result.streamedBytesPerStep() == 0
                    ? ""
                    : ", " + Quantities.bytes(result.streamedBytesPerStep()) + " to the card at each step";
            context.out().println("VRAM: " + use.memoryText() + streamed);
        }
    }

    private void print(String name, Bench.Timing timing, String more) {
        context.out().println(
                String.format(Locale.ROOT, "%-20s %8.4f s median  %8.4f s least%s", name, timing.median(), timing.min(), more));
    }
}
