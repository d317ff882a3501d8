package kiln.runtime.exec.cuda;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import kiln.kernels.op.Card;
import kiln.runtime.DeviceOptions;
import kiln.runtime.NetworkPart;
import kiln.runtime.graph.Graph;
import kiln.runtime.model.Checkpoint;
import kiln.runtime.plan.NetworkDemand;
import kiln.runtime.plan.NetworkNames;

/**
 * What networks ask of a card, counted from the programs that would run there: {@link CudaExecutor} plans by the same numbers. Shapes are
 * enough: no card is needed, nothing is allocated and no weight is read.
 */
public final class CudaDemands {
    /** What is assumed where there is no card: small cards that many have. The choice of kernels makes a difference of few MiB. */
    public static final Card ASSUMED_CARD = Card.of(61);

    /** Networks that run once a picture: it is better that they take longer than that there is no picture. */
    private static final Set<String> IN_BANDS = Set.of(NetworkNames.ENCODER, NetworkNames.DECODER);

    private final Card card;
    private final Set<NetworkPart> cpuParts;
    private final CudaSettings settings;

    /**
     * @param device what weights are kept in, and which networks the CPU computes
     * @param wide whether all is in 32 bits
     */
    public CudaDemands(Card card, DeviceOptions device, boolean wide) {
        this.card = card;
        cpuParts = device.cpuParts();
        settings = CudaSettings.of(device, wide, new MemoryBudget(0, 0, 0), device.vramBudgetBytes(), 0);
    }

    static ProgramChoice program(String network, Graph unfused, DeviceTarget target, DeviceLibraries libraries) {
        return ProgramChoice.of(unfused, target, libraries, IN_BANDS.contains(network));
    }

    private NetworkDemand of(String network, Graph unfused) {
        NetworkPrograms programs = new NetworkPrograms(network);
        programs.add(program(network, unfused, settings.target(card, network), DeviceLibraries.none()));
        return programs.demand();
    }

    /**
     * The networks that draw a picture from a text, in the order of their turns, without those that the CPU computes.
     *
     * @param entries of the denoiser's batch: two for each picture drawn together under guidance
     * @param height of the latent
     * @param width of the latent
     * @param tokens of the prompt's chunks together
     */
    public List<NetworkDemand> ofTextToImage(
            Checkpoint sizes, Function<String, List<Integer>> shapes, int entries, int height, int width, int tokens, int clipSkip) {
        List<NetworkDemand> demands = new ArrayList<>();
        if (!cpuParts.contains(NetworkPart.TEXT_ENCODER)) {
            // Chunks go through it one by one.
            int chunk = Math.min(tokens, sizes.text().places());
            demands.add(of(NetworkNames.TEXT_ENCODER, sizes.text().graph(shapes, 1, chunk, clipSkip)));
        }
        if (!cpuParts.contains(NetworkPart.UNET)) {
            demands.add(of(NetworkNames.DENOISER, sizes.unet().graph(shapes, entries, height, width, tokens, 1)));
        }
        if (!cpuParts.contains(NetworkPart.VAE)) {
            demands.add(of(NetworkNames.DECODER, sizes.vae().decoder(shapes, 1, height, width)));
        }
        return demands;
    }
}
