package kiln.runtime.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.ToIntFunction;
import kiln.runtime.family.ModelFiles;
import kiln.runtime.model.Checkpoint;
import org.junit.jupiter.api.Test;

class OpTest {
    private static final Map<String, List<Integer>> TENSORS = Map.ofEntries(
            Map.entry("conv.weight", List.of(8, 6, 3, 3)),
            Map.entry("conv.bias", List.of(8)),
            Map.entry("linear.weight", List.of(10, 6)),
            Map.entry("odd.weight", List.of(9, 6)),
            Map.entry("odd.bias", List.of(9)),
            Map.entry("linear.bias", List.of(10)),
            Map.entry("norm.weight", List.of(6)),
            Map.entry("norm.bias", List.of(6)),
            Map.entry("e.token_embedding.weight", List.of(50, 4)),
            Map.entry("e.position_embedding.weight", List.of(3, 4)));

    private static GraphBuilder builder() {
        GraphBuilder builder = new GraphBuilder(TENSORS::get, "");
        builder.input("in", new Shape(2, 5, 7, 6));
        return builder;
    }

    private static Node node(ToIntFunction<GraphBuilder> body) {
        GraphBuilder builder = builder();
        int node = body.applyAsInt(builder);
        return builder.build().node(node);
    }

    private static double flops(ToIntFunction<GraphBuilder> body) {
        GraphBuilder builder = builder();
        int node = body.applyAsInt(builder);
        Graph graph = builder.build();
        return graph.flops(graph.node(node));
    }

    /** Fusion writes shapes itself, where it merges nodes: they must be what the merged op's rule gives. */
    @Test
    void everyNodeOfTheNetworksHasTheShapeThatItsOpGives() {
        try (ModelFiles file = ModelFiles.open(Path.of("demo/kiln-demo.safetensors"))) {
            Checkpoint model = Checkpoint.infer(file::shape);
            for (Graph plain : List.of(
                    model.unet().graph(file::shape, 2, 8, 12, 77, 1),
                    model.text().graph(file::shape, 2, 77, 1),
                    model.vae().decoder(file::shape, 1, 8, 12),
                    model.vae().encoder(file::shape, 1, 64, 96))) {
                for (Graph graph : List.of(plain, Fusion.fuse(plain))) {
                    for (Node node : graph.nodes()) {
                        List<Shape> inputs = node.inputs().stream().map(graph::shapeOf).toList();
                        assertThat(node.op().result(inputs, node.weights())).as("%s", node).isEqualTo(node.shape());
                    }
                }
            }
        }
    }

    @Test
    void shapesFollowFromInputsAndWeights() {
        assertThat(node(graph -> graph.conv3x3("conv", 0)).shape()).isEqualTo(new Shape(2, 5, 7, 8));
        assertThat(node(graph -> graph.conv("conv", 0, 3, 2, 0, 1)).shape()).isEqualTo(new Shape(2, 2, 3, 8));
        assertThat(node(graph -> graph.geglu("linear", 0)).shape()).isEqualTo(new Shape(2, 5, 7, 5));
        assertThat(node(graph -> graph.concat("", 0, graph.linear("linear", 0))).shape()).isEqualTo(new Shape(2, 5, 7, 16));
        List<Weight> weights = node(graph -> graph.conv3x3("conv", 0)).weights();
        assertThat(new Op.Conv2d(3, 1, 1, 1, true).result(List.of(new Shape(1, 4, 3, 6)), weights)).isEqualTo(new Shape(1, 8, 6, 8));
    }

    @Test
    void productsCostTwoForEachMultiplication() {
        int values = 2 * 5 * 7;
        assertThat(flops(graph -> graph.conv3x3("conv", 0))).isEqualTo(2.0 * values * 8 * 6 * 9);
        assertThat(flops(graph -> graph.linear("linear", 0))).isEqualTo(2.0 * values * 10 * 6);
        // Values and gates, then gelu, its product and the rest of it for each of the five results.
        assertThat(flops(graph -> graph.geglu("linear", 0))).isEqualTo(2.0 * values * 10 * 6 + 3 * values * 5);
        assertThat(flops(graph -> graph.attention("", 0, 0, 0, 2, false))).isEqualTo(4.0 * values * 35 * 6);
    }

    @Test
    void aConvolutionThatDoublesCountsTheFourInputsThatItSees() {
        GraphBuilder builder = builder();
        builder.output("out", builder.silu("", builder.conv3x3("conv", builder.upsample("", 0, 10, 14))));
        Graph fused = Fusion.fuse(builder.build());
        int values = 2 * 10 * 14 * 8;
        assertThat(fused.flops()).as("with one post-op").isEqualTo(2.0 * values * 4 * 6 + values);
    }

    @Test
    void elementwiseWorkCountsOneAValueAndWhatIsGivenNothing() {
        int values = 2 * 5 * 7 * 6;
        assertThat(flops(graph -> 0)).isZero();
        assertThat(flops(graph -> graph.silu("", 0))).isEqualTo(values);
        assertThat(flops(graph -> graph.add("", 0, 0))).isEqualTo(values);
        assertThat(flops(graph -> graph.groupNorm("norm", 0, 3, 1e-5f))).isEqualTo(6 * values);
        assertThat(flops(graph -> graph.layerNorm("norm", 0, 1e-5f))).isEqualTo(6 * values);
    }

    @Test
    void whatDoesNotFitIsToldWithTheModulesName() {
        assertRefused(graph -> graph.add("sum", 0, graph.linear("linear", 0)), "sum: cannot add [2, 5, 7, 6] and [2, 5, 7, 10]");
        assertRefused(graph -> graph.addPerChannel("vector", 0, 0), "vector: cannot add [2, 5, 7, 6] to each position of [2, 5, 7, 6]");
        assertRefused(graph -> graph.concat("join", 0, graph.upsample("", 0, 4, 4)), "join: cannot put [2, 4, 4, 6] beside [2, 5, 7, 6]");
        assertRefused(graph -> graph.geglu("odd", 0), "odd: 9 rows: values and gates need an even number");
        assertRefused(graph -> graph.groupNorm("norm", 0, 4, 1e-5f), "norm: 6 channels cannot be parted into 4 groups");
        assertRefused(graph -> graph.embedding("e", graph.exactInput("ids", Shape.tokens(1, 4, 1))), "e: 3 places: 4 are needed");
        assertRefused(
                graph -> graph.attention("attention", 0, 0, graph.upsample("", 0, 4, 4), 2, false),
                "attention: 2 heads of 3 cannot read queries [2, 5, 7, 6], keys [2, 5, 7, 6] and values [2, 4, 4, 6]");
    }

    private static void assertRefused(ToIntFunction<GraphBuilder> body, String message) {
        assertThatThrownBy(() -> body.applyAsInt(builder())).isInstanceOf(ModelException.class).hasMessage(message);
    }
}
