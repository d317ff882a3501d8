package kiln.runtime.plan;

import java.util.List;
import java.util.Objects;

/**
 * What one network asks of a device. Graphs of one network that run by turns (other sizes, other prompt lengths) are one demand: all their
 * parameters, the largest arena.
 *
 * @param weights in the order of their first use
 * @param arenaBytes of results and of what the kernels need beside them
 * @param reducedArenaBytes the same when the network is run in a way that is slower and needs less (a decoder in bands); {@code arenaBytes}
 *     where there is no such way
 * @param flops of one run
 */
public record NetworkDemand(String name, List<WeightUse> weights, long arenaBytes, long reducedArenaBytes, double flops) {
    public NetworkDemand {
        Objects.requireNonNull(name, "name");
        weights = List.copyOf(weights);
        if (arenaBytes < 0 || reducedArenaBytes < 0 || reducedArenaBytes > arenaBytes) {
            throw new IllegalArgumentException(name + ": an arena of " + arenaBytes + " bytes, reduced " + reducedArenaBytes);
        }
        if (!(flops >= 0) || Double.isInfinite(flops)) {
            throw new IllegalArgumentException(name + ": " + flops + " FLOPs");
        }
    }

    /** A network that can be run in one way only. */
    public NetworkDemand(String name, List<WeightUse> weights, long arenaBytes, double flops) {
        this(name, weights, arenaBytes, arenaBytes, flops);
    }

    public NetworkDemand withReducedArena(long bytes) {
        return new NetworkDemand(name, weights, arenaBytes, bytes, flops);
    }

    /** All parameters, each once, without what alignment adds. */
    public long weightBytes() {
        return weights.stream().mapToLong(WeightUse::bytes).sum();
    }
}
