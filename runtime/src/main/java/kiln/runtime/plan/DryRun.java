package kiln.runtime.plan;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import kiln.runtime.graph.Fusion;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.Node;
import kiln.runtime.graph.Op;
import kiln.runtime.graph.Weight;

/**
 * What running a network would take, from shapes alone: nothing is allocated and no weight is read.
 *
 * @param weightBytes of all parameters, each counted once
 * @param arenaBytes of the results' arena
 * @param liveBytes the most bytes of results alive at one time
 */
public record DryRun(String network, List<Step> steps, double flops, long weightBytes, long arenaBytes, long liveBytes) {
    /**
     * One node.
     *
     * @param weightBytes of parameters that no earlier node uses
     * @param resultBytes of its result
     */
    public record Step(String name, String op, String shape, double flops, long weightBytes, long resultBytes) {}

    public DryRun {
        steps = List.copyOf(steps);
    }

    /**
     * @param unfused as the model builds it; executors run it fused, so that is what is counted
     * @param bytesPerElement of weights and results; exact inputs have four whatever the format
     */
    public static DryRun of(String network, Graph unfused, int bytesPerElement) {
        Graph graph = Fusion.fuse(unfused);
        MemoryPlan plan = MemoryPlan.of(graph, i -> isExact(graph.node(i)) ? Float.BYTES : bytesPerElement);
        Set<List<String>> seen = new HashSet<>();
        List<Step> steps = new ArrayList<>();
        double flops = 0;
        long weightBytes = 0;
        for (int i = 0; i < graph.nodes().size(); i++) {
            Node node = graph.node(i);
            long own = 0;
            for (Weight weight : node.weights()) {
                if (seen.add(weight.names())) {
                    own += weight.elements() * bytesPerElement;
                }
            }
            double work = graph.flops(node);
            steps.add(new Step(
                    node.name(), node.op().getClass().getSimpleName(), node.shape().toString(), work, own, plan.bytes(i)));
            flops += work;
            weightBytes += own;
        }
        return new DryRun(network, steps, flops, weightBytes, plan.arenaBytes(), plan.liveBytes());
    }

    private static boolean isExact(Node node) {
        return node.op() instanceof Op.Input input && input.exact();
    }

    /** For people: a line a node, then the totals; GFLOP and MiB. */
    public String table() {
        StringBuilder out = new StringBuilder(String.format(
                Locale.ROOT, "%-60s %-18s %-20s %10s %11s %11s%n", network, "op", "result", "GFLOP", "weights MiB", "result MiB"));
        for (Step step : steps) {
            out.append(String.format(
                    Locale.ROOT,
                    "%-60s %-18s %-20s %10.3f %11.2f %11.2f%n",
                    step.name(), step.op(), step.shape(), step.flops() / 1e9, mebibytes(step.weightBytes()), mebibytes(step.resultBytes())));
        }
        return out.append(String.format(
                        Locale.ROOT,
                        "%s in all: %.3f GFLOP, weights %.2f MiB, results %.2f MiB in one arena (%.2f MiB alive at most)%n",
                        network, flops / 1e9, mebibytes(weightBytes), mebibytes(arenaBytes), mebibytes(liveBytes)))
                .toString();
    }

    private static double mebibytes(long bytes) {
        return bytes / 1048576.0;
    }
}
