package kiln.runtime.check;

import java.util.List;
import java.util.Objects;

/**
 * What drawing a request's pictures would take of the CPU and its memory.
 *
 * @param dtype that networks are computed in: "bf16" or "f32"
 * @param networks in the order of their turns
 * @param calls of the denoiser for one batch
 */
public record CpuPlan(String dtype, List<Network> networks, int calls, double flopsPerPicture) {
    /**
     * One network.
     *
     * @param flops of one run
     * @param weightBytes of all parameters, each counted once
     * @param resultBytes of the arena that results lie in
     * @param table every node in a line, then the totals, for people
     */
    public record Network(String name, List<Node> nodes, double flops, long weightBytes, long resultBytes, String table) {
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

    public long weightBytes() {
        return networks.stream().mapToLong(Network::weightBytes).sum();
    }

    /** They share one arena. */
    public long resultBytes() {
        return networks.stream().mapToLong(Network::resultBytes).max().orElse(0);
    }

    /** Beside the program's own memory. */
    public long peakBytes() {
        return weightBytes() + resultBytes();
    }
}
