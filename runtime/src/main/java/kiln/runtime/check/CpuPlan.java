package kiln.runtime.check;

import java.util.List;
import java.util.Objects;

/**
 * What drawing a request's pictures would take of the CPU and its memory.
 *
 * @param dtype that networks are computed in: "bf16" or "f32"
 * @param networks in the order of their turns
 * @param lowram whether weights stay in 16 bits where they can: then these are what counts
 * @param calls of the denoiser for one batch
 */
public record CpuPlan(String dtype, List<Network> networks, boolean lowram, int calls, double flopsPerPicture) {
    /**
     * One network.
     *
     * @param flops of one run
     * @param weightBytes of all parameters, each counted once
     * @param lowramWeightBytes of them with {@code --lowram}, the block included that they are widened in
     * @param resultBytes of the arena that results lie in
     * @param wholeBytes of the arena if nothing were computed in bands
     * @param bands the most that a result is computed in; 1 where each is computed at once
     * @param table every node in a line, then the totals, for people
     */
    public record Network(String name, List<Node> nodes, double flops, long weightBytes, long lowramWeightBytes,
            long resultBytes, long wholeBytes, int bands, String table) {
        public Network {
            Objects.requireNonNull(name, "name");
            nodes = List.copyOf(nodes);
        }
    }

    /**
     * One operation of a network.
     *
     * @param weightBytes of parameters that no earlier node uses
     */
    public record Node(String name, String op, String shape, double flops, long weightBytes, long resultBytes) {}

    public CpuPlan {
        Objects.requireNonNull(dtype, "dtype");
        networks = List.copyOf(networks);
    }

    /** As they are computed with. */
    public long weightBytes() {
        return networks.stream().mapToLong(Network::weightBytes).sum();
    }

    /** With {@code --lowram}. */
    public long lowramWeightBytes() {
        return networks.stream().mapToLong(Network::lowramWeightBytes).sum();
    }

    /** They share one arena. */
    public long resultBytes() {
        return networks.stream().mapToLong(Network::resultBytes).max().orElse(0);
    }

    /** Beside the program's own memory. */
    public long peakBytes() {
        return (lowram ? lowramWeightBytes() : weightBytes()) + resultBytes();
    }
}
