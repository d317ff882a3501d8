package kiln.tui.cli.commands;

import java.nio.file.Path;
import java.util.List;
import kiln.runtime.base.KilnException;
import kiln.runtime.check.CardFindings;
import kiln.runtime.check.CardPlans;
import kiln.runtime.check.PicturePlans;
import kiln.runtime.engine.EngineOptions;
import kiln.runtime.engine.Models;
import kiln.runtime.job.GenerationRequest;
import kiln.tui.cli.base.CliContext;
import kiln.tui.cli.base.Json;
import kiln.tui.cli.options.DeviceFlags;
import kiln.tui.cli.options.PictureOptions;
import kiln.tui.cli.options.Places;
import kiln.tui.cli.reports.CardPlanReport;
import kiln.tui.cli.reports.CpuPlanReport;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** {@code kiln plan}: what a request would take, before anything is computed. */
@CommandLine.Command(
        name = "plan",
        description = "Show the memory and work that a picture would take, from the model's shapes alone; with --nodes, node by node.")
final class PlanCommand extends CliCommand {
    @ArgGroup(validate = false, heading = "%nPicture:%n", order = 1)
    PictureOptions picture = new PictureOptions();

    @ArgGroup(validate = false, heading = "%nGraphics card:%n", order = 80)
    DeviceFlags device = new DeviceFlags();

    @Option(
            names = "--flop-rate",
            paramLabel = "TFLOPS",
            description = "What a card reaches, in 10^12 operations a second, for predicted times. Default: 5.")
    Double flopRate;

    @Option(names = "--bus-rate", paramLabel = "GBPS", description = "How fast memory is copied to it, in 10^9 bytes a second. Default: 12.")
    Double busRate;

    @Option(names = "--nodes", description = "Every node of the three networks: result, GFLOP, bytes. For a card: where every weight lies.")
    boolean nodes;

    @Option(
            names = "--json",
            description = "{\"peakBytes\", \"weightsBytes\", \"activationBytes\", \"flopsPerPicture\", \"networks\": [{\"network\","
                    + " \"flops\", \"weightsBytes\", \"activationBytes\", \"nodes\"}]}; for a card {\"fits\", \"residency\", \"peakBytes\","
                    + " \"contextBytes\", \"weightsBytes\", \"activationBytes\" (the three at the peak), \"streamedBytesPerStep\","
                    + " \"secondsPerStep\", \"networks\", \"otherSizes\", …}")
    boolean json;

    PlanCommand(CliContext context) {
        super(context);
    }

    @Override
    public List<String> helpFooter() {
        return List.of(
                "",
                "With --vram-budget, --vram-headroom, --weights, --medvram, --lowvram, --executor cuda or a rate, the plan is made for a graphics card, which"
                        + " need not be there: what stays in its memory, what is streamed, and how long a step should take. M and G are MiB and"
                        + " GiB. Where there is a card, the plan is made for it in any case, with what is free of its memory unless a budget is"
                        + " given. Without card and budget there is no limit, but for --lowvram, which then plans for 1700M.",
                "",
                "Example: kiln plan --ckpt sd15.safetensors --vram-budget 1700M");
    }

    @Override
    public int run() {
        Places places = global.places(context);
        EngineOptions options = global.engineOptions(places, null, device);
        Path model = new Models(options).defaultModel();
        GenerationRequest request = picture.values(Models.presetsOf(model), places.webUi().requestDefaults("txt2img"), context);
        CardFindings.Card card = CardFindings.wanted(options, context.environment());
        if (card != null || isForCard(options)) {
            CardPlanReport report = new CardPlanReport(model, request, PicturePlans.onCard(options, model, request, card, rates()));
            show(report::writeTo, () -> report.print(context.out(), nodes));
        } else {
            CpuPlanReport report = new CpuPlanReport(model, request, PicturePlans.onCpu(options, model, request));
            show(report::writeTo, () -> report.print(context.out(), nodes));
        }
        return 0;
    }

    private void show(Json.Content forPrograms, Runnable forPeople) {
        if (json) {
            Json.print(context.out(), forPrograms);
        } else {
            forPeople.run();
        }
    }

    private boolean isForCard(EngineOptions options) {
        return device.limitMemory() || flopRate != null || busRate != null || options.executor().equals("cuda");
    }

    private CardPlans.Rates rates() {
        return new CardPlans.Rates(
                rate("--flop-rate", flopRate, 1e12, CardPlans.Rates.ASSUMED.flopsPerSecond()),
                rate("--bus-rate", busRate, 1e9, CardPlans.Rates.ASSUMED.busBytesPerSecond()));
    }

    private static double rate(String option, Double given, double unit, double usual) {
        if (given == null) {
            return usual;
        }
        if (!(given > 0) || Double.isInfinite(given)) {
            throw KilnException.badRequest(option + " " + given + " is no rate above 0");
        }
        return given * unit;
    }
}
