package kiln.runtime.check;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import kiln.kernels.op.Card;
import kiln.runtime.base.DeviceOptions;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.MemoryMode;
import kiln.runtime.base.NetworkPart;
import kiln.runtime.base.Precision;
import kiln.runtime.engine.EngineOptions;
import kiln.runtime.exec.cuda.CudaDemands;
import kiln.runtime.exec.onednn.OneDnn;
import kiln.runtime.family.ModelFiles;
import kiln.runtime.graph.Fusion;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.Node;
import kiln.runtime.graph.Op;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.model.Model;
import kiln.runtime.model.NetworkShape;
import kiln.runtime.pipeline.PictureNetworks;
import kiln.runtime.plan.CardRates;
import kiln.runtime.plan.DryRun;
import kiln.runtime.plan.NetworkNames;
import kiln.runtime.plan.NetworkPlace;
import kiln.runtime.plan.Residency;
import kiln.runtime.plan.ResidencyPlan;
import kiln.runtime.plan.RowBands;
import kiln.runtime.sampling.SamplerChoice;
import kiln.runtime.sampling.SamplerOptions;
import kiln.runtime.sampling.SamplingPlan;

/** What a request would take before anything is computed, from the shapes of a model's tensors alone. */
public final class PicturePlans {
    /** What a headless 2 GB card has left: whom --lowvram is for when no budget is stated. */
    private static final long SMALL_CARD_BYTES = 1700L << 20;
    /** Sizes that a plan for a card is compared with. */
    private static final int[] USUAL_SIDES = {512, 768, 1024};
    /** Text encoders run for the prompt and for the negative prompt. */
    private static final int PROMPTS = 2;

    private PicturePlans() {}

    /**
     * The plan for the CPU.
     *
     * @throws KilnException when the file holds no model that can draw, or none that can draw this size
     */
    public static CpuPlan onCpu(EngineOptions options, Path checkpoint, GenerationRequest request) {
        boolean wide = options.precision() == Precision.F32 || options.precision() == Precision.AUTO && !OneDnn.hasBf16();
        List<CpuPlan.Network> networks = new ArrayList<>();
        int calls;
        try (ModelFiles files = ModelFiles.open(checkpoint)) {
            Model model = files.model();
            calls = calls(model, request);
            graphs(model, request).forEach((name, graph) -> networks.add(network(name, graph, wide, files)));
        }
        double flops = 0;
        for (CpuPlan.Network network : networks) {
            double all = runs(network.name(), calls, 1) * network.flops();
            // The denoiser's run is one of the whole batch, the others' of one picture.
            flops += network.name().equals(NetworkNames.DENOISER) ? all / request.batchSize() : all;
        }
        return new CpuPlan(wide ? "f32" : "bf16", networks, wide && options.device().lowram(), calls, flops);
    }

    private static CpuPlan.Network network(String name, Graph graph, boolean wide, ModelFiles files) {
        int elementBytes = wide ? Float.BYTES : Short.BYTES;
        DryRun run = DryRun.of(name, graph, elementBytes);
        List<CpuPlan.Node> nodes = run.steps().stream()
                .map(step -> new CpuPlan.Node(step.name(), step.op(), step.shape(), step.flops(), step.weightBytes(), step.resultBytes()))
                .toList();
        RowBands bands = RowBands.of(Fusion.fuse(graph), fused -> node -> elementBytes, RowBands.BAND_BYTES);
        long lowram = wide ? run.weightBytes() - savedByLowram(bands.graph(), files) : run.weightBytes();
        return new CpuPlan.Network(
                name, nodes, run.flops(), run.weightBytes(), lowram, bands.arenaBytes(), run.arenaBytes(), bands.most(), run.table());
    }

    /** Half of the matrices and kernels that lie in 16 bits in the file, but for the block that the largest is widened in. */
    private static long savedByLowram(Graph graph, ModelFiles files) {
        long saved = 0;
        long largest = 0;
        for (Node node : graph.nodes()) {
            boolean isFolded = node.op() instanceof Op.Conv2d convolution && convolution.upsample();
            boolean hasMatrix = node.op() instanceof Op.Conv2d || node.op() instanceof Op.Linear || node.op() instanceof Op.LinearGeglu;
            if (hasMatrix && !isFolded && node.weights().get(0).names().stream().allMatch(files::isShort)) {
                long bytes = node.weights().get(0).elements() * Float.BYTES;
                saved += bytes / 2;
                largest = Math.max(largest, node.op() instanceof Op.LinearGeglu ? bytes / 2 : bytes);
            }
        }
        return Math.max(0, saved - largest);
    }

    /**
     * The plan for a card.
     *
     * @param card that would be used, {@code null} for one that need not be there
     * @throws KilnException when the file holds no model that can draw or none that can draw this size, or the card would have nothing to do
     */
    public static CardPlans onCard(
            EngineOptions options, Path checkpoint, GenerationRequest request, CardFindings.Card card, CardPlans.Rates assumed) {
        DeviceOptions stated = options.device();
        boolean forThisCard = card != null && stated.vramBudgetBytes() == 0;
        DeviceOptions device = forThisCard ? stated.toBuilder().vramBudgetBytes(budgetOf(card)).build() : stated;
        if (device.cpuParts().contains(NetworkPart.UNET)) {
            throw KilnException.badRequest("--use-cpu unet leaves a card nothing that would be worth a plan");
        }
        CardPlans.Budget budget = budget(device);
        CardRates rates = assumed.forPlan();
        Card kernels = card == null ? CudaDemands.ASSUMED_CARD : Card.of(card.major() * 10 + card.minor());
        CudaDemands demands = new CudaDemands(kernels, device, options.precision() == Precision.F32);
        CardPlan asked;
        List<CardPlan> others = new ArrayList<>();
        try (ModelFiles files = ModelFiles.open(checkpoint)) {
            Model model = files.model();
            Residency highest = Residency.highest(device.memory());
            asked = plan(model, request, budget, highest, demands, rates);
            for (int side : USUAL_SIDES) {
                if (side != request.width() || side != request.height()) {
                    GenerationRequest square = request.toBuilder().width(side).height(side).build();
                    others.add(plan(model, square, budget, highest, demands, rates));
                }
            }
        }
        return new CardPlans(forThisCard ? card : null, device.weights(), budget, assumed, asked, others);
    }

    /** What may be used of a card that is there: what is free, and what a context takes, which its free bytes are without. */
    private static long budgetOf(CardFindings.Card card) {
        return card.freeBytes() < 0 ? card.totalBytes() : Math.min(card.totalBytes(), card.freeBytes() + ResidencyPlan.ASSUMED_CONTEXT_BYTES);
    }

    private static CardPlans.Budget budget(DeviceOptions device) {
        boolean stated = device.vramBudgetBytes() > 0;
        long unstated = device.memory() == MemoryMode.LOWVRAM ? SMALL_CARD_BYTES : CardPlans.Budget.NO_LIMIT;
        return new CardPlans.Budget(
                stated ? device.vramBudgetBytes() : unstated, !stated, device.vramHeadroomBytes(), ResidencyPlan.MARGIN_BYTES);
    }

    private static CardPlan plan(
            Model model, GenerationRequest request, CardPlans.Budget budget, Residency highest, CudaDemands demands, CardRates rates) {
        ResidencyPlan plan = ResidencyPlan.choose(
                demands.of(graphs(model, request)),
                NetworkNames.DENOISER,
                budget.usableBytes(),
                ResidencyPlan.ASSUMED_CONTEXT_BYTES,
                highest,
                rates);
        int calls = calls(model, request);
        double seconds = plan.turnBytes() / rates.busBytesPerSecond();
        double flops = 0;
        for (NetworkPlace network : plan.networks()) {
            int runs = runs(network.name(), calls, request.batchSize());
            seconds += runs * network.seconds(rates);
            flops += runs * network.demand().flops();
        }
        return CardPlanRecords.of(plan, request, rates, calls, seconds, flops / request.batchSize());
    }

    private static Map<String, Graph> graphs(Model model, GenerationRequest request) {
        Map<String, Graph> graphs = new LinkedHashMap<>();
        for (NetworkShape shape : PictureNetworks.of(model, request).all()) {
            graphs.put(shape.network(), model.graph(shape));
        }
        return graphs;
    }

    private static int calls(Model model, GenerationRequest request) {
        SamplerChoice choice = SamplerChoice.find(request.sampler(), request.schedule());
        return SamplingPlan.fromNoise(choice, request.steps(), SamplerOptions.DEFAULTS, model.sampling()).networkCalls();
    }

    /** How often a network runs for a batch. */
    private static int runs(String network, int calls, int pictures) {
        return switch (network) {
            case NetworkNames.DENOISER -> calls;
            case NetworkNames.DECODER -> pictures;
            case NetworkNames.ENCODER -> 1;
            default -> PROMPTS;
        };
    }
}
