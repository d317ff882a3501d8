package kiln.tui.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import kiln.kernels.CudaDevices;
import kiln.runtime.base.DeviceOptions;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.MemoryMode;
import kiln.runtime.base.NetworkPart;
import kiln.runtime.exec.cuda.CudaDemands;
import kiln.runtime.graph.Graph;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.model.Model;
import kiln.runtime.model.NetworkShape;
import kiln.runtime.pipeline.PictureNetworks;
import kiln.runtime.plan.CardRates;
import kiln.runtime.plan.NetworkDemand;
import kiln.runtime.plan.NetworkNames;
import kiln.runtime.plan.NetworkPlace;
import kiln.runtime.plan.Residency;
import kiln.runtime.plan.ResidencyPlan;
import kiln.runtime.sampling.ModelSampling;
import kiln.runtime.sampling.SamplerChoice;
import kiln.runtime.sampling.Sampling;

/**
 * What drawing pictures of one size would take on a card that need not be there.
 *
 * @param calls of the denoiser for one batch
 * @param batchSeconds predicted for a batch, from the prompt to its pictures
 */
record CardPlan(int width, int height, ResidencyPlan plan, CardRates rates, int calls, double batchSeconds, double flopsPerPicture) {
    static final long NO_LIMIT = Long.MAX_VALUE;
    /** What a headless 2 GB card has left: whom --lowvram is for when no budget is stated. */
    private static final long SMALL_CARD_BYTES = 1700L << 20;

    /** What may be used in all, before headroom and margin; {@link #NO_LIMIT} where nothing was said. */
    static long statedBudget(DeviceOptions device) {
        if (device.vramBudgetBytes() > 0) {
            return device.vramBudgetBytes();
        }
        return device.memory() == MemoryMode.LOWVRAM ? SMALL_CARD_BYTES : NO_LIMIT;
    }

    /** What may be used of a card that is there: what is free, and what a context takes, which its free bytes are without. */
    static long budgetOf(CudaDevices.Device card) {
        return card.freeBytes() < 0 ? card.totalBytes() : Math.min(card.totalBytes(), card.freeBytes() + ResidencyPlan.ASSUMED_CONTEXT_BYTES);
    }

    /**
     * @param request its batch size, guidance and sampler count, its size does not
     * @throws KilnException when the size is none that the model can draw, or the card would have nothing to do
     */
    static CardPlan of(
            Model model,
            GenerationRequest request,
            int width,
            int height,
            DeviceOptions device,
            CudaDemands onCard,
            CardRates rates) {
        if (device.cpuParts().contains(NetworkPart.UNET)) {
            throw KilnException.badRequest("--use-cpu unet leaves a card nothing that would be worth a plan");
        }
        Map<String, Graph> networks = new LinkedHashMap<>();
        GenerationRequest sized = request.toBuilder().width(width).height(height).build();
        for (NetworkShape shape : PictureNetworks.of(model, sized).all()) {
            networks.put(shape.network(), model.graph(shape));
        }
        List<NetworkDemand> demands = onCard.of(networks);
        ResidencyPlan plan = ResidencyPlan.choose(
                demands,
                NetworkNames.DENOISER,
                usable(device),
                ResidencyPlan.ASSUMED_CONTEXT_BYTES,
                Residency.highest(device.memory()),
                rates);
        int calls = Sampling.networkCalls(SamplerChoice.find(request.sampler(), request.schedule()), request.steps(), ModelSampling.sd1());
        double seconds = plan.turnBytes() / rates.busBytesPerSecond();
        double flops = 0;
        for (NetworkPlace network : plan.networks()) {
            int runs = switch (network.name()) {
                case NetworkNames.DENOISER -> calls;
                case NetworkNames.DECODER -> request.batchSize();
                default -> PlanCommand.PROMPTS;
            };
            seconds += runs * network.seconds(rates);
            flops += runs * network.demand().flops();
        }
        return new CardPlan(width, height, plan, rates, calls, seconds, flops / request.batchSize());
    }

    private static long usable(DeviceOptions device) {
        long stated = statedBudget(device);
        return stated == NO_LIMIT ? stated : Math.max(0, stated - device.vramHeadroomBytes() - ResidencyPlan.MARGIN_BYTES);
    }

    double stepSeconds() {
        return plan.stepSeconds(rates);
    }

    /** A step's time if nothing had to be copied. */
    double computeSecondsPerStep() {
        return plan.streamedNetwork().demand().flops() / rates.flopsPerSecond();
    }

    /** A step's copies one after another. */
    double busSecondsPerStep() {
        return plan.streamedBytesPerStep() / rates.busBytesPerSecond();
    }
}
