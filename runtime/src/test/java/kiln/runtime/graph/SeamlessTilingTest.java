package kiln.runtime.graph;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SeamlessTilingTest {
    private static final Map<String, List<Integer>> SHAPES = Map.of(
            "same.weight", List.of(4, 4, 3, 3), "same.bias", List.of(4), "half.weight", List.of(4, 4, 3, 3), "half.bias", List.of(4),
            "below.weight", List.of(4, 4, 3, 3), "below.bias", List.of(4), "point.weight", List.of(4, 4, 1, 1), "point.bias", List.of(4));

    private static Graph graph() {
        GraphBuilder g = new GraphBuilder(SHAPES::get, "");
        int x = g.conv3x3("same", g.input("in", new Shape(1, 12, 8, 4)));
        x = g.add("sum", x, g.conv("point", x, 1, 1, 0, 0));
        x = g.conv("below", g.conv("half", x, 3, 2, 1, 1), 3, 2, 0, 1);
        g.output("out", x);
        return g.build();
    }

    @Test
    void convolutionsThatPadAllSidesReadTheOppositeEdges() {
        Graph plain = graph();
        Graph tiled = SeamlessTiling.of(plain);
        assertThat(tiled.nodes().stream().map(Node::name)).containsExactly(
                "in", "same.wrap", "same", "point", "sum", "half.wrap", "half", "below");
        assertThat(tiled.node(2).op()).isEqualTo(new Op.Conv2d(3, 1, 0, 0, false));
        assertThat(tiled.node(6).op()).isEqualTo(new Op.Conv2d(3, 2, 0, 0, false));
        // Padded by the original code itself, with zeros.
        assertThat(tiled.node(7).op()).isEqualTo(new Op.Conv2d(3, 2, 0, 1, false));
        assertThat(tiled.shapeOf(tiled.outputs().get("out"))).isEqualTo(plain.shapeOf(plain.outputs().get("out")));
        for (Node node : tiled.nodes()) {
            assertThat(node.op().result(node.inputs().stream().map(tiled::shapeOf).toList(), node.weights())).as(node.name()).isEqualTo(node.shape());
        }
    }
}
