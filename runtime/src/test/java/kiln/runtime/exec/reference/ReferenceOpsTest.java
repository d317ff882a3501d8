package kiln.runtime.exec.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import kiln.runtime.exec.CompiledGraph;
import kiln.runtime.exec.CompiledGraph.Progress;
import kiln.runtime.exec.NetworkGolden;
import kiln.runtime.exec.NetworkGolden.Deviation;
import kiln.runtime.family.ModelFiles;
import kiln.runtime.graph.Fusion;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.GraphBuilder;
import kiln.runtime.graph.Node;
import kiln.runtime.graph.Op;
import kiln.runtime.graph.PostOp;
import kiln.runtime.graph.Shape;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every op against values of PyTorch in 64 bits (src/test/oracle/op_golden.py). */
class ReferenceOpsTest {
    /** Sums of at most 630 products, in 32-bit lanes of 64, of which the golden value is rounded once: 16 roundings of 6e-8. */
    private static final double TOLERANCE = 1e-6;

    private static ModelFiles golden;

    @BeforeAll
    static void open() {
        golden = ModelFiles.open(NetworkGolden.resource("/networks/ops.safetensors"));
    }

    @AfterAll
    static void close() {
        golden.close();
    }

    /** Adds the op behind the inputs; gives its node. */
    @FunctionalInterface
    interface Body {
        int build(GraphBuilder graph, int[] in);
    }

    record Case(String name, List<String> inputs, Body body, UnaryOperator<Graph> pass, double tolerance) {
        Case within(double other) {
            return new Case(name, inputs, body, pass, other);
        }

        @Override
        public String toString() {
            return name;
        }
    }

    private static Case of(String name, String inputs, Body body) {
        return new Case(name, List.of(inputs.split(",")), body, UnaryOperator.identity(), TOLERANCE);
    }

    private static Case fused(String name, String inputs, Body body) {
        return new Case(name, List.of(inputs.split(",")), body, Fusion::fuse, TOLERANCE);
    }

    static Stream<Case> cases() {
        List<Case> cases = new ArrayList<>(List.of(
                of("convolution", "x", (g, in) -> g.conv3x3("conv", in[0])),
                of("convolution_one_position", "x", (g, in) -> g.conv3x3("conv", in[0])),
                of("convolution_wide", "x", (g, in) -> g.conv3x3("conv", in[0])),
                of("convolution_1x1", "x", (g, in) -> g.conv("conv", in[0], 1, 1, 0, 0)),
                of("convolution_stride_2", "x", (g, in) -> g.conv("conv", in[0], 3, 2, 1, 1)),
                of("convolution_stride_2_even", "x", (g, in) -> g.conv("conv", in[0], 3, 2, 1, 1)),
                of("convolution_padded_behind", "x", (g, in) -> g.conv("conv", in[0], 3, 2, 0, 1)),
                of("convolution_doubled", "x", ReferenceOpsTest::doubled),
                fused("convolution_doubled", "x", ReferenceOpsTest::doubled),
                of("convolution_post_ops", "x,other,vector", ReferenceOpsTest::convolutionAndSums),
                of("linear", "x", (g, in) -> g.linear("a", in[0])),
                of("linear_without_bias", "x", (g, in) -> g.linear("a", in[0])),
                of("linear_of_a_map", "x", (g, in) -> g.linear("a", in[0])),
                of("linear_post_ops", "x,other", (g, in) ->
                        g.activation("gelu", PostOp.Kind.GELU, g.add("add", g.linear("a", in[0]), in[1]))),
                of("geglu", "x", (g, in) -> g.geglu("a", in[0])),
                of("group_norm", "x", (g, in) -> g.groupNorm("norm", in[0], 4, 1e-5f)),
                of("group_norm_small", "x", (g, in) -> g.groupNorm("norm", in[0], 4, 1e-6f)),
                of("group_norm_offset", "x", (g, in) -> g.groupNorm("norm", in[0], 4, 1e-5f)),
                of("group_norm_silu", "x", (g, in) -> g.silu("silu", g.groupNorm("norm", in[0], 4, 1e-5f))),
                fused("group_norm_silu", "x", (g, in) -> g.silu("silu", g.groupNorm("norm", in[0], 4, 1e-5f))),
                of("layer_norm", "x", (g, in) -> g.layerNorm("norm", in[0], 1e-5f)),
                of("attention", "q,k,v", (g, in) -> g.attention("a", in[0], in[1], in[2], 3, false)),
                of("attention_one_head", "q,k,v", (g, in) -> g.attention("a", in[0], in[1], in[2], 1, false)),
                of("attention_other_length", "q,k,v", (g, in) -> g.attention("a", in[0], in[1], in[2], 3, false)),
                of("attention_causal", "q,k,v", (g, in) -> g.attention("a", in[0], in[1], in[2], 3, true)),
                // Scores of some thousands are rounded to 2e-4, and so are the exponents.
                of("attention_steep", "q,k,v", (g, in) -> g.attention("a", in[0], in[1], in[2], 3, false)).within(3e-4),
                of("silu", "x", (g, in) -> g.silu("f", in[0])),
                of("gelu", "x", (g, in) -> g.activation("f", PostOp.Kind.GELU, in[0])),
                of("quick_gelu", "x", (g, in) -> g.activation("f", PostOp.Kind.QUICK_GELU, in[0])),
                of("add", "x,other", (g, in) -> g.add("add", in[0], in[1])),
                of("add_per_channel", "x,other", (g, in) -> g.addPerChannel("add", in[0], in[1])),
                of("add_per_channel_to_all", "x,other", (g, in) -> g.addPerChannel("add", in[0], in[1])),
                of("concat", "x,other", (g, in) -> g.concat("concat", in[0], in[1])),
                of("embedding", "ids", (g, in) -> g.embedding("e", in[0])),
                // An angle of 999 is known to 6e-5, and PyTorch's exp may round the frequency the other way.
                of("timesteps", "timesteps", (g, in) -> g.timestepEmbedding("t", in[0], 320)).within(1.3e-4)));
        for (int[] size : new int[][] {{10, 6}, {9, 8}, {4, 2}, {5, 7}}) {
            cases.add(of("upsample_" + size[0] + "x" + size[1], "x", (g, in) -> g.upsample("u", in[0], size[0], size[1])));
        }
        return cases.stream();
    }

    private static int doubled(GraphBuilder g, int[] in) {
        return g.conv3x3("conv", g.upsample("double", in[0], 10, 6));
    }

    /** silu(conv + vector) + other. */
    private static int convolutionAndSums(GraphBuilder g, int[] in) {
        int sum = g.addPerChannel("vector", g.conv3x3("conv", in[0]), in[2]);
        return g.add("other", g.silu("silu", sum), in[1]);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void opsEqualPyTorchs(Case c) {
        GraphBuilder builder = new GraphBuilder(golden::shape, c.name() + ".");
        int[] in = c.inputs().stream().mapToInt(input -> input(builder, c.name(), input)).toArray();
        builder.output("out", c.body().build(builder, in));
        assertResult(c.name(), c.pass().apply(builder.build()), c.tolerance());
    }

    private static int input(GraphBuilder builder, String name, String input) {
        Shape shape = shape(name + ".in." + input);
        boolean exact = input.equals("ids") || input.equals("timesteps");
        return exact ? builder.exactInput(input, shape) : builder.input(input, shape);
    }

    @Test
    void attentionReadsSlicesOfOneResult() {
        Shape packed = shape("attention_packed.in.x");
        Node input = new Node("x", new Op.Input(packed, false), List.of(), List.of(), List.of(), packed);
        Op attention = new Op.Attention(3, 4, false, 25, 0, 12);
        Node node = new Node("attention", attention, List.of(0, 0, 0), List.of(), List.of(), packed.withChannels(12));
        assertResult("attention_packed", new Graph(List.of(input, node), Map.of("x", 0), Map.of("out", 1)), TOLERANCE);
    }

    @Test
    void postOpsAreDoneInOrder() {
        GraphBuilder g = new GraphBuilder(golden::shape, "convolution_post_ops.");
        int x = input(g, "convolution_post_ops", "x");
        int other = input(g, "convolution_post_ops", "other");
        int vector = input(g, "convolution_post_ops", "vector");
        g.output("out", g.conv3x3("conv", x));
        Graph plain = g.build();
        Node convolution = plain.node(3);
        List<PostOp> postOps = List.of(
                new PostOp(PostOp.Kind.ADD_PER_CHANNEL, vector), new PostOp(PostOp.Kind.SILU, -1), new PostOp(PostOp.Kind.ADD, other));
        List<Node> nodes = new ArrayList<>(plain.nodes());
        nodes.set(3, new Node("", convolution.op(), convolution.inputs(), convolution.weights(), postOps, convolution.shape()));
        assertResult("convolution_post_ops", new Graph(nodes, plain.inputs(), plain.outputs()), TOLERANCE);
    }

    /** Small values count as much as large ones, which a comparison with the largest would hide. */
    @ParameterizedTest
    @MethodSource("functions")
    void functionsAreExactToTheLastBitsOfEachValue(String name, PostOp.Kind kind) {
        float[] x = read(name + ".in.x");
        float[] expected = read(name + ".out");
        for (int i = 0; i < x.length; i++) {
            // erf is exact to 1e-15 of 1, which the tail of GELU is the rest of.
            double allowed = 1.2e-7 * Math.abs((double) expected[i]) + 1e-14;
            assertThat((double) Functions.apply(kind, x[i])).as("%s(%s)", name, x[i]).isCloseTo(expected[i], within(allowed));
        }
    }

    static Stream<Arguments> functions() {
        return Stream.of(PostOp.Kind.SILU, PostOp.Kind.GELU, PostOp.Kind.QUICK_GELU)
                .map(kind -> Arguments.of(kind.name().toLowerCase(Locale.ROOT), kind));
    }

    @Test
    void errorFunctionIsExact() {
        double[][] values = {
            {0, 0}, {1e-9, 1.1283791670955127e-09}, {0.03, 0.03384122234173543}, {0.0313, 0.03530673766781703},
            {0.5, 0.5204998778130465}, {1, 0.8427007929497149}, {1.97, 0.9946637246465299}, {2.5, 0.999593047982555},
            {3.49, 0.9999992009745795}, {4.6, 0.999999999922504}, {5.9, 0.9999999999999999}, {6.5, 1}, {Double.POSITIVE_INFINITY, 1},
        };
        for (double[] value : values) {
            assertThat(Functions.erf(value[0])).as("erf(%s)", value[0]).isCloseTo(value[1], within(1e-14));
            assertThat(Functions.erf(-value[0])).as("erf(-%s)", value[0]).isCloseTo(-value[1], within(1e-14));
        }
        assertThat(Functions.erf(Double.NaN)).isNaN();
    }

    private static void assertResult(String name, Graph graph, double tolerance) {
        Map<String, float[]> inputs = new HashMap<>();
        graph.inputs().keySet().forEach(input -> inputs.put(input, read(name + ".in." + input)));
        Shape shape = shape(name + ".out");
        assertThat(graph.shapeOf(graph.outputs().get("out"))).isEqualTo(shape);
        try (ReferenceExecutor executor = new ReferenceExecutor(golden);
                CompiledGraph compiled = executor.compile(graph)) {
            float[] result = compiled.run(inputs, Progress.NONE).get("out");
            assertThat(Deviation.of(name, result, read(name + ".out")).largest()).isLessThanOrEqualTo(tolerance);
        }
    }

    private static Shape shape(String tensor) {
        List<Integer> sizes = golden.shape(tensor);
        return new Shape(sizes.get(0), sizes.get(1), sizes.get(2), sizes.get(3));
    }

    private static float[] read(String tensor) {
        float[] values = new float[(int) golden.shape(tensor).stream().mapToLong(Integer::longValue).reduce(1, (a, b) -> a * b)];
        golden.read(tensor, FloatBuffer.wrap(values));
        return values;
    }
}
