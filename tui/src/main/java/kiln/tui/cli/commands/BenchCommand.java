package kiln.tui.cli.commands;

import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import kiln.runtime.base.ByteSize;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.Selection;
import kiln.runtime.check.Bench;
import kiln.runtime.check.CardBench;
import kiln.runtime.check.SamplerBench;
import kiln.runtime.engine.Devices;
import kiln.runtime.engine.EngineOptions;
import kiln.runtime.engine.Models;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.noise.LatentShape;
import kiln.runtime.sampling.Sampler;
import kiln.tui.cli.base.CliContext;
import kiln.tui.cli.base.Json;
import kiln.tui.cli.options.DeviceFlags;
import kiln.tui.cli.reports.BenchReport;
import kiln.tui.cli.reports.BudgetComparison;
import kiln.tui.cli.reports.KernelBenchReport;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** {@code kiln bench}: how fast this machine is. */
@CommandLine.Command(
        name = "bench",
        description = "Time one CFG step (batch 2), the decode and the text encoder; on a graphics card also its kernels one by one.")
final class BenchCommand extends CliCommand {
    private static final int MOST_RUNS = 10_000;
    private static final double USUAL_NETWORK_MILLISECONDS = 10;
    private static final int MOST_NETWORK_MILLISECONDS = 1000;

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
            names = "--sampler",
            paramLabel = "SAMPLER",
            description = "Time a sampler instead, beside a network that does nothing for --network-ms; \"all\" for all of them.")
    String sampler;

    @Option(names = "--network-ms", paramLabel = "X", description = "With --sampler: how long the network takes. Default: 10, as on a fast card.")
    Double networkMilliseconds;

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
    public int run() {
        check();
        if (sampler != null) {
            timeSamplers();
            return 0;
        }
        long budget = budget();
        EngineOptions options = global.engineOptions(global.places(context), null, device);
        if (compareBudget != null && !Devices.useCard(options)) {
            throw new KilnException(KilnException.Category.DEVICE, "--compare-budget needs a graphics card, and none can be used (kiln doctor says why)");
        }
        Path model = new Models(options).defaultModel();
        GenerationRequest request = sized(Models.presetsOf(model).builder());
        if (kernels) {
            timeKernels(options, model, request);
            return 0;
        }
        Bench.Result result = time(options, model, request);
        BudgetComparison comparison = compareBudget == null
                ? null
                : new BudgetComparison(budget, result, time(withBudget(options, budget), model, request), CardBench.busRate(options));
        BenchReport report = new BenchReport(model, request, runs, result, comparison);
        if (json) {
            Json.print(context.out(), out -> report.writeTo(out, notices));
        } else {
            report.print(context.out(), compareBudget);
        }
        return 0;
    }

    private void check() {
        if (runs < 1 || runs > MOST_RUNS) {
            throw KilnException.badRequest("--runs " + runs + " is outside 1 to " + MOST_RUNS);
        }
        if (!kernels && (only != null || quick)) {
            throw KilnException.badRequest((quick ? "--quick" : "--only") + " means nothing without --kernels");
        }
        if (kernels && compareBudget != null) {
            throw KilnException.badRequest("--kernels and --compare-budget are two things: give one");
        }
    }

    private void timeSamplers() {
        List<Sampler> samplers = sampler.equalsIgnoreCase("all") ? List.of(Sampler.values()) : List.of(Sampler.find(sampler));
        double network = networkMilliseconds == null ? USUAL_NETWORK_MILLISECONDS : networkMilliseconds;
        if (!(network >= 0 && network <= MOST_NETWORK_MILLISECONDS)) {
            throw KilnException.badRequest("--network-ms " + network + " is outside 0 to " + MOST_NETWORK_MILLISECONDS);
        }
        LatentShape latent = new LatentShape(4, (height == null ? 512 : height) / 8, (width == null ? 512 : width) / 8);
        List<SamplerBench.Row> rows = SamplerBench.run(samplers, latent, network / 1000, runs);
        if (json) {
            Json.print(context.out(), out -> {
                out.writeStartArray();
                for (SamplerBench.Row row : rows) {
                    out.writeStartObject();
                    out.writeStringField("sampler", row.sampler().label());
                    out.writeNumberField("calls", row.calls());
                    out.writeNumberField("secondsPerCall", row.secondsPerCall());
                    out.writeEndObject();
                }
                out.writeEndArray();
            });
        } else {
            context.out().println(latent.height() * 8 + "x" + latent.width() * 8 + ", ms beside each call of the network (calls), which takes " + network);
            rows.forEach(row -> context.out().println(String.format(
                    Locale.ROOT, "%-18s %8.3f (%d)", row.sampler().label(), row.secondsPerCall() * 1000, row.calls())));
        }
    }

    private GenerationRequest sized(GenerationRequest.Builder request) {
        if (width != null) {
            request.width(width);
        }
        if (height != null) {
            request.height(height);
        }
        return request.build();
    }

    private void timeKernels(EngineOptions options, Path model, GenerationRequest request) {
        KernelBenchReport report = new KernelBenchReport(context, model, request.width(), request.height());
        report.print(CardBench.kernels(options, model, request.width(), request.height(), Selection.of(only), quick, report::progress), json);
    }

    private long budget() {
        try {
            return compareBudget == null ? 0 : ByteSize.parse(compareBudget);
        } catch (IllegalArgumentException e) {
            throw KilnException.badRequest("--compare-budget " + e.getMessage());
        }
    }

    private static EngineOptions withBudget(EngineOptions options, long budget) {
        return options.withDevice(options.device().toBuilder().vramBudgetBytes(budget).build());
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
}
