package kiln.runtime.plan;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import kiln.runtime.graph.Fusion;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.Node;
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
     * @param bytesPerElement of weights and results
     */
    public static DryRun of(String network, Graph unfused, int bytesPerElement) {
        Graph graph = Fusion.fuse(unfused);
        MemoryPlan plan = MemoryPlan.of(graph, node -> bytesPerElement);
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
}
