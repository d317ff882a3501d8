package kiln.runtime.plan;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import kiln.runtime.DeviceOptions;
import kiln.runtime.NetworkPart;
import kiln.runtime.WeightFormat;
import kiln.runtime.graph.Fusion;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.Node;
import kiln.runtime.graph.Op;
import kiln.runtime.graph.Weight;
import kiln.runtime.model.Checkpoint;

/**
 * Demands from shapes alone: nothing is allocated and no weight is read. Attention is counted as the kernels do it, without a matrix of
 * scores.
 */
public final class NetworkDemands {
    public static final String TEXT_ENCODER = "text encoder";
    /** The network that runs at every step. */
    public static final String DENOISER = "denoiser";
    public static final String DECODER = "decoder";

    /** Smaller matrices stay in 16 bits: they would save nothing worth their loss of precision. */
    private static final long SMALLEST_INT8_ELEMENTS = 1 << 16;

    private NetworkDemands() {}

    /**
     * @param unfused as the model builds it; executors run it fused, so that is what is counted
     */
    public static NetworkDemand of(String name, Graph unfused, WeightFormat format) {
        Graph graph = Fusion.fuse(unfused);
        MemoryPlan plan = MemoryPlan.of(graph, i -> isExact(graph.node(i)) ? Float.BYTES : elementBytes(format));
        return new NetworkDemand(name, weights(graph, format), plan.arenaBytes(), graph.flops());
    }

    /** A node's work counts for the first weight that it brings in; that of nodes that bring none in, for the one before. */
    private static List<WeightUse> weights(Graph graph, WeightFormat format) {
        Set<List<String>> seen = new HashSet<>();
        List<String> names = new ArrayList<>();
        List<Long> bytes = new ArrayList<>();
        List<Double> flops = new ArrayList<>();
        int current = 0;
        double before = 0;
        for (Node node : graph.nodes()) {
            int first = names.size();
            for (Weight weight : node.weights()) {
                if (seen.add(weight.names())) {
                    names.add(weight.toString());
                    bytes.add(bytes(format, node.op(), weight));
                    flops.add(0.0);
                }
            }
            if (names.isEmpty()) {
                before += graph.flops(node);
                continue;
            }
            if (first < names.size()) {
                current = first;
            }
            flops.set(current, flops.get(current) + before + graph.flops(node));
            before = 0;
        }
        List<WeightUse> uses = new ArrayList<>();
        for (int i = 0; i < names.size(); i++) {
            uses.add(new WeightUse(names.get(i), bytes.get(i), flops.get(i)));
        }
        return uses;
    }

    /** 8-bit rows have a 32-bit scale each, behind all rows. */
    private static long bytes(WeightFormat format, Op op, Weight weight) {
        boolean matrix = weight.shape().size() > 1 && (op instanceof Op.Linear || op instanceof Op.LinearGeglu || op instanceof Op.Conv2d);
        if (format == WeightFormat.INT8 && matrix && weight.elements() >= SMALLEST_INT8_ELEMENTS) {
            return WeightPlaces.aligned(weight.elements()) + (long) Float.BYTES * weight.rows();
        }
        return Math.multiplyExact(weight.elements(), elementBytes(format));
    }

    /** Of a result, and of a parameter that is not kept in 8 bits. */
    private static int elementBytes(WeightFormat format) {
        return format == WeightFormat.F32 ? Float.BYTES : Short.BYTES;
    }

    private static boolean isExact(Node node) {
        return node.op() instanceof Op.Input input && input.exact();
    }

    /**
     * The networks that draw a picture from a text, in the order of their turns, without those that the CPU computes.
     *
     * @param device what weights are kept in, and which networks the CPU computes
     * @param entries of the denoiser's batch: two for each picture drawn together under guidance
     * @param height of the latent
     * @param width of the latent
     * @param tokens of the prompt's chunks together
     */
    public static List<NetworkDemand> ofTextToImage(
            Checkpoint sizes,
            Function<String, List<Integer>> shapes,
            DeviceOptions device,
            int entries,
            int height,
            int width,
            int tokens,
            int clipSkip) {
        List<NetworkDemand> demands = new ArrayList<>();
        if (!device.cpuParts().contains(NetworkPart.TEXT_ENCODER)) {
            // Chunks go through it one by one.
            int chunk = Math.min(tokens, sizes.text().places());
            demands.add(of(TEXT_ENCODER, sizes.text().graph(shapes, 1, chunk, clipSkip), device.weights()));
        }
        if (!device.cpuParts().contains(NetworkPart.UNET)) {
            demands.add(of(DENOISER, sizes.unet().graph(shapes, entries, height, width, tokens, 1), device.weights()));
        }
        if (!device.cpuParts().contains(NetworkPart.VAE)) {
            WeightFormat format = device.noHalfVae() ? WeightFormat.F32 : device.weights();
            demands.add(of(DECODER, sizes.vae().decoder(shapes, 1, height, width), format));
        }
        return demands;
    }
}
