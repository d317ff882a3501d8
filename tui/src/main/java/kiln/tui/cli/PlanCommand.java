package kiln.tui.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import kiln.kernels.CudaDevices;
import kiln.kernels.DeviceChoice;
import kiln.kernels.op.Card;
import kiln.runtime.base.DeviceOptions;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.Precision;
import kiln.runtime.engine.Engine;
import kiln.runtime.engine.EngineOptions;
import kiln.runtime.exec.cuda.CudaDemands;
import kiln.runtime.exec.onednn.OneDnn;
import kiln.runtime.family.ModelFiles;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.model.Model;
import kiln.runtime.model.NetworkShape;
import kiln.runtime.pipeline.PictureNetworks;
import kiln.runtime.plan.CardRates;
import kiln.runtime.plan.DryRun;
import kiln.runtime.sampling.ModelSampling;
import kiln.runtime.sampling.SamplerChoice;
import kiln.runtime.sampling.Sampling;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** {@code kiln plan}: what a request would take, before anything is computed. */
@CommandLine.Command(
        name = "plan",
        description = "Show the memory and work that a picture would take, from the model's shapes alone; with --nodes, node by node.")
final class PlanCommand extends Command {
    /** The text encoder runs for the prompt and for the negative prompt. */
    static final int PROMPTS = 2;

    /** Sizes that a plan for a card is compared with. */
    private static final int[] USUAL_SIDES = {512, 768, 1024};

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
    List<String> helpFooter() {
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
    int run() {
        Places places = global.places(context);
        EngineOptions options = global.engineOptions(places, null, device);
        Path model;
        try (Engine engine = new Engine(options)) {
            model = engine.defaultModel();
        }
        GenerationRequest request = picture.values(Engine.defaultsOf(model));
        CudaDevices.Device card = card(options, places);
        if (card != null || isForCard()) {
            return planCard(model, request, options, card);
        }
        boolean wide = options.precision() == Precision.F32 || options.precision() == Precision.AUTO && !OneDnn.hasBf16();
        int bytesPerElement = wide ? 4 : 2;
        List<DryRun> networks;
        try (ModelFiles file = ModelFiles.open(model)) {
            networks = networks(file.model(), request, bytesPerElement);
        }
        DryRun text = networks.get(0);
        DryRun unet = networks.get(1);
        DryRun decoder = networks.get(2);
        int calls = Sampling.networkCalls(SamplerChoice.find(request.sampler(), request.schedule()), request.steps(), ModelSampling.sd1());
        double flops = PROMPTS * text.flops() + calls * unet.flops() / request.batchSize() + decoder.flops();
        long weights = networks.stream().mapToLong(DryRun::weightBytes).sum();
        long activations = networks.stream().mapToLong(DryRun::arenaBytes).max().orElse(0);
        if (json) {
            Json.print(context.out(), out -> {
                out.writeStartObject();
                out.writeStringField("model", model.toString());
                out.writeStringField("dtype", wide ? "f32" : "bf16");
                out.writeNumberField("width", request.width());
                out.writeNumberField("height", request.height());
                out.writeNumberField("peakBytes", weights + activations);
                out.writeNumberField("weightsBytes", weights);
                out.writeNumberField("activationBytes", activations);
                out.writeNumberField("flopsPerPicture", flops);
                out.writeArrayFieldStart("networks");
                for (DryRun network : networks) {
                    write(out, network);
                }
                out.writeEndArray();
                out.writeEndObject();
            });
            return 0;
        }
        if (nodes) {
            networks.forEach(network -> context.out().println(network.table()));
        }
        context.out().println(String.format(
                Locale.ROOT, "%s, %dx%d, %s", model.getFileName(), request.width(), request.height(), wide ? "f32" : "bf16"));
        for (DryRun network : networks) {
            context.out().println(String.format(
                    Locale.ROOT,
                    "%-14s %10.1f GFLOP  weights %10s  results %10s",
                    network.network(),
                    network.flops() / 1e9,
                    Quantities.bytes(network.weightBytes()),
                    Quantities.bytes(network.arenaBytes())));
        }
        context.out().println(String.format(
                Locale.ROOT,
                "in all         %10.1f GFLOP a picture of %d calls of the denoiser; %s of memory beside the program's own",
                flops / 1e9,
                calls,
                Quantities.bytes(weights + activations)));
        return 0;
    }

    private boolean isForCard() {
        return device.vramBudget != null
                || device.vramHeadroom != null
                || device.weights != null
                || device.medvram
                || device.lowvram
                || flopRate != null
                || busRate != null
                || global.compute.executor().equals("cuda");
    }

    /**
     * The card that pictures would be drawn on, {@code null} when it would be the CPU.
     *
     * @throws KilnException DEVICE when there are cards, but not the one that was asked for
     */
    private CudaDevices.Device card(EngineOptions options, Places places) {
        boolean wanted = options.executor().equals("auto") || options.executor().equals("cuda");
        if (!wanted || options.device().isCpuOnly()) {
            return null;
        }
        CudaDevices found = CudaDevices.probe(places.cache().resolve("natives/jcuda"));
        if (found.devices().isEmpty()) {
            return null;
        }
        String visible = context.environment().get(DeviceChoice.VISIBLE_DEVICES);
        DeviceChoice choice = DeviceChoice.among(found, options.device().device(), visible);
        if (choice.device() == null && options.device().device() != null) {
            throw new KilnException(KilnException.Category.DEVICE, choice.reason());
        }
        return choice.device();
    }

    private int planCard(Path model, GenerationRequest request, EngineOptions engine, CudaDevices.Device card) {
        DeviceOptions stated = engine.device();
        boolean forThisCard = card != null && stated.vramBudgetBytes() == 0;
        DeviceOptions options = forThisCard
                ? stated.toBuilder().vramBudgetBytes(CardPlan.budgetOf(card)).build()
                : stated;
        Card kernels = card == null ? CudaDemands.ASSUMED_CARD : Card.of(card.capabilityTimesTen());
        CudaDemands demands = new CudaDemands(kernels, options, engine.precision() == Precision.F32);
        CardRates rates = new CardRates(
                rate("--flop-rate", flopRate, 1e12, CardRates.ASSUMED.flopsPerSecond()),
                rate("--bus-rate", busRate, 1e9, CardRates.ASSUMED.busBytesPerSecond()));
        CardPlan asked;
        List<CardPlan> others = new ArrayList<>();
        try (ModelFiles file = ModelFiles.open(model)) {
            Model drawing = file.model();
            asked = CardPlan.of(drawing, request, request.width(), request.height(), options, demands, rates);
            for (int side : USUAL_SIDES) {
                if (side != request.width() || side != request.height()) {
                    others.add(CardPlan.of(drawing, request, side, side, options, demands, rates));
                }
            }
        }
        CardPlanReport report = new CardPlanReport(model, request, options, forThisCard ? card : null, asked, others);
        if (json) {
            Json.print(context.out(), report::writeTo);
        } else {
            report.print(context.out(), nodes);
        }
        return 0;
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

    private static List<DryRun> networks(Model model, GenerationRequest request, int bytesPerElement) {
        List<DryRun> networks = new ArrayList<>();
        for (NetworkShape shape : PictureNetworks.of(model, request).all()) {
            networks.add(DryRun.of(shape.network(), model.graph(shape), bytesPerElement));
        }
        return networks;
    }

    private static void write(JsonGenerator out, DryRun network) throws IOException {
        out.writeStartObject();
        out.writeStringField("network", network.network());
        out.writeNumberField("flops", network.flops());
        out.writeNumberField("weightsBytes", network.weightBytes());
        out.writeNumberField("activationBytes", network.arenaBytes());
        out.writeArrayFieldStart("nodes");
        for (DryRun.Step step : network.steps()) {
            out.writeStartObject();
            out.writeStringField("name", step.name());
            out.writeStringField("op", step.op());
            out.writeStringField("shape", step.shape());
            out.writeNumberField("flops", step.flops());
            out.writeNumberField("weightsBytes", step.weightBytes());
            out.writeNumberField("resultBytes", step.resultBytes());
            out.writeEndObject();
        }
        out.writeEndArray();
        out.writeEndObject();
    }
}
