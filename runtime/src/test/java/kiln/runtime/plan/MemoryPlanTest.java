package kiln.runtime.plan;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.Node;
import kiln.runtime.graph.Op;
import kiln.runtime.graph.Shape;
import org.junit.jupiter.api.Test;

class MemoryPlanTest {
    @Test
    void resultsAliveAtTheSameTimeNeverOverlap() {
        for (long seed = 0; seed < 300; seed++) {
            Graph graph = randomGraph(new Random(seed));
            MemoryPlan plan = MemoryPlan.of(graph, node -> 4);
            int count = graph.nodes().size();
            for (int a = 0; a < count; a++) {
                for (int b = a + 1; b < count; b++) {
                    boolean together = birth(graph, b) <= plan.lastUse(a) && birth(graph, a) <= plan.lastUse(b);
                    boolean apart = plan.offset(a) + plan.bytes(a) <= plan.offset(b) || plan.offset(b) + plan.bytes(b) <= plan.offset(a);
                    assertThat(!together || apart).as("seed %d: nodes %d and %d", seed, a, b).isTrue();
                }
                assertThat(plan.offset(a) + plan.bytes(a)).as("seed %d: node %d", seed, a).isLessThanOrEqualTo(plan.arenaBytes());
                assertThat(plan.bytes(a)).isGreaterThanOrEqualTo(4 * graph.shapeOf(a).elements());
                assertThat(plan.offset(a) % 64).isZero();
            }
            assertThat(plan.arenaBytes()).as("seed %d", seed).isGreaterThanOrEqualTo(plan.liveBytes());
        }
    }

    @Test
    void aChainNeedsRoomForTwoResultsOnly() {
        List<Node> nodes = new ArrayList<>();
        nodes.add(input(64, false));
        for (int i = 1; i < 10; i++) {
            nodes.add(node(new Op.LayerNorm(1e-5f), List.of(i - 1), 64));
        }
        MemoryPlan plan = MemoryPlan.of(new Graph(nodes, Map.of("x", 0), Map.of("y", 9)), node -> 4);
        assertThat(plan.arenaBytes()).isEqualTo(2 * 64 * 4);
        assertThat(plan.liveBytes()).isEqualTo(plan.arenaBytes());
    }

    private static int birth(Graph graph, int node) {
        return graph.inputs().containsValue(node) ? 0 : node;
    }

    private static Node node(Op op, List<Integer> inputs, int channels) {
        return new Node("", op, inputs, List.of(), List.of(), new Shape(1, 1, 1, channels));
    }

    private static Node input(int channels, boolean exact) {
        return node(new Op.Input(new Shape(1, 1, 1, channels), exact), List.of(), channels);
    }

    private static Graph randomGraph(Random random) {
        List<Node> nodes = new ArrayList<>();
        nodes.add(input(1 + random.nextInt(500), false));
        nodes.add(input(1 + random.nextInt(500), true));
        int count = 3 + random.nextInt(30);
        while (nodes.size() < count) {
            List<Integer> inputs = List.of(random.nextInt(nodes.size()), random.nextInt(nodes.size()));
            nodes.add(node(new Op.Add(), inputs, 1 + random.nextInt(500)));
        }
        return new Graph(nodes, Map.of("a", 0, "b", 1), Map.of("y", nodes.size() - 1, "z", random.nextInt(nodes.size())));
    }
}
