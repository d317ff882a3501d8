package kiln.runtime.check;

import static kiln.runtime.check.RandomWeights.normals;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.ToIntFunction;
import kiln.runtime.exec.WeightSource;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.GraphBuilder;
import kiln.runtime.graph.Op;
import kiln.runtime.graph.PostOp;
import kiln.runtime.graph.Shape;

/**
 * Small graphs for every op, and for every post-op that fusion hangs onto one: what executors are compared by. Sizes are those of SD 1.x's
 * levels and odd ones; weights and inputs are random with a fixed seed.
 */
final class OpCases {
    /**
     * One graph, whose result is called "out".
     *
     * @param op what it is about
     * @param name unique among the op's cases
     * @param weights that the graph reads
     * @param inputs by the graph's names
     * @param allowedF32 max|result − reference| / max|reference| of a right executor in 32 bits
     */
    record OpCase(
            Class<? extends Op> op, String name, WeightSource weights, Graph graph, Map<String, float[]> inputs, double allowedF32) {}

    /** Sums of up to 2880 products in another order differ by some 1e-6 in 32 bits. */
    private static final double ALLOWED_F32 = 1e-5;
    /** The sine of an angle of 999, whose frequency and product are both rounded to 32 bits: 6e-5 each. */
    private static final double ALLOWED_ANGLES = 1.3e-4;

    private static final List<PostOp.Kind> FUNCTIONS =
            Arrays.stream(PostOp.Kind.values()).filter(kind -> !kind.hasInput()).toList();

    private final List<OpCase> cases = new ArrayList<>();
    private final Random random = new Random(1);

    private OpCases() {}

    /** All of them, in the order that a person is told of them. */
    static List<OpCase> all() {
        OpCases all = new OpCases();
        all.convolutions();
        all.matrices();
        all.postOps();
        all.norms();
        all.attentions();
        all.elementwise();
        all.embeddings();
        return List.copyOf(all.cases);
    }

    private void convolutions() {
        for (int[] size : new int[][] {{1, 9, 7, 4, 32}, {2, 16, 16, 64, 64}, {1, 5, 5, 3, 5}, {2, 8, 8, 320, 320}}) {
            RandomWeights weights = new RandomWeights(random).matrix("conv", size[4], size[3], 3, 3).bias("conv", size[4]);
            Shape shape = new Shape(size[0], size[1], size[2], size[3]);
            add(Op.Conv2d.class, "3x3, " + shape + " to " + size[4], weights, shape, graph -> graph.conv3x3("conv", 0));
        }
        RandomWeights weights = new RandomWeights(random).matrix("conv", 48, 32, 3, 3).bias("conv", 48);
        Shape odd = new Shape(2, 9, 7, 32);
        add(Op.Conv2d.class, "3x3, stride 2, padded by 1", weights, odd, graph -> graph.conv("conv", 0, 3, 2, 1, 1));
        add(Op.Conv2d.class, "3x3, stride 2, padded behind only", weights, odd, graph -> graph.conv("conv", 0, 3, 2, 0, 1));
        add(Op.Conv2d.class, "3x3 with SiLU", weights, odd, graph -> graph.silu("silu", graph.conv3x3("conv", 0)));
        add(Op.Conv2d.class, "3x3 after doubling, with leaky ReLU", weights, odd, graph ->
                graph.activation("leaky", PostOp.Kind.LEAKY_RELU, graph.conv3x3("conv", graph.upsample("double", 0, 18, 14))));
        add(Op.Conv2d.class, "3x3 after doubling", weights, odd, graph -> graph.conv3x3("conv", graph.upsample("double", 0, 18, 14)));
    }

    private void matrices() {
        RandomWeights weights = new RandomWeights(random)
                .matrix("a", 48, 40).bias("a", 48)
                .matrix("b", 96, 40).bias("b", 96)
                .matrix("c", 7, 40);
        Shape tokens = Shape.tokens(2, 77, 40);
        add(Op.Linear.class, "77 tokens, 40 to 48", weights, tokens, graph -> graph.linear("a", 0));
        add(Op.Linear.class, "without bias, to 7", weights, tokens, graph -> graph.linear("c", 0));
        add(Op.Linear.class, "one token", weights, Shape.tokens(1, 1, 40), graph -> graph.linear("a", 0));
        add(Op.LinearGeglu.class, "77 tokens, 40 to 48", weights, tokens, graph -> graph.geglu("b", 0));
        RandomWeights large = new RandomWeights(random).matrix("a", 768, 768).bias("a", 768);
        add(Op.Linear.class, "77 tokens, 768 to 768", large, Shape.tokens(1, 77, 768), graph -> graph.linear("a", 0));
    }

    /**
     * What fusion hangs onto convolutions and linear layers, in the networks' orders; 33 channels leave a tail in every vector width.
     * What is added comes first: only a result that is at hand becomes a post-op.
     */
    private void postOps() {
        RandomWeights weights = new RandomWeights(random).matrix("conv", 33, 20, 3, 3).bias("conv", 33).matrix("a", 33, 20).bias("a", 33);
        Shape shape = new Shape(2, 7, 5, 20);
        Shape result = shape.withChannels(33);
        for (int batch : new int[] {1, 2}) {
            add(Op.Conv2d.class, "3x3 plus a vector, batch " + batch, weights, shape, graph -> {
                int other = graph.input("other", new Shape(batch, 1, 1, 33));
                return graph.addPerChannel("sum", graph.conv3x3("conv", 0), other);
            });
        }
        add(Op.Conv2d.class, "3x3 plus a result", weights, shape, graph -> {
            int other = graph.input("other", result);
            return graph.add("sum", other, graph.conv3x3("conv", 0));
        });
        add(Op.Linear.class, "plus a result", weights, shape, graph -> {
            int other = graph.input("other", result);
            return graph.add("sum", other, graph.linear("a", 0));
        });
        add(Op.Conv2d.class, "3x3 plus a result, a fifth of it plus a result", weights, shape, graph -> {
            int first = graph.input("first", result);
            int second = graph.input("second", result);
            int sum = graph.add("sum", graph.conv3x3("conv", 0), first);
            return graph.add("out", graph.activation("fifth", PostOp.Kind.FIFTH, sum), second);
        });
        for (PostOp.Kind kind : FUNCTIONS) {
            add(Op.Linear.class, "with " + kind, weights, shape, graph -> graph.activation("function", kind, graph.linear("a", 0)));
        }
    }

    private void norms() {
        RandomWeights weights = new RandomWeights(random).bias("norm", 64).scale("norm", 64);
        Shape shape = new Shape(2, 7, 5, 64);
        add(Op.GroupNorm.class, "32 groups of 64", weights, shape, graph -> graph.groupNorm("norm", 0, 32, 1e-5f));
        add(Op.GroupNorm.class, "32 groups of 64 with SiLU", weights, shape, graph ->
                graph.silu("silu", graph.groupNorm("norm", 0, 32, 1e-6f)));
        add(Op.LayerNorm.class, "64 channels", weights, shape, graph -> graph.layerNorm("norm", 0, 1e-5f));
    }

    private void attentions() {
        RandomWeights weights = new RandomWeights(random);
        for (String name : List.of("q", "k", "v")) {
            weights.matrix(name, 80, 80).bias(name, 80);
        }
        for (int heads : new int[] {1, 2, 8}) {
            add(Op.Attention.class, heads + " of " + 80 / heads + ", 8x6", weights, new Shape(2, 8, 6, 80), graph ->
                    attention(graph, 0, heads, false));
        }
        add(Op.Attention.class, "2 of 40, 13 tokens, causal", weights, Shape.tokens(2, 13, 80), graph -> attention(graph, 0, 2, true));
        add(Op.Attention.class, "2 of 40, keys of 77 tokens", weights, new Shape(2, 5, 7, 80), graph -> {
            int context = graph.input("context", Shape.tokens(2, 77, 80));
            return attention(graph, context, 2, false);
        });
    }

    private static int attention(GraphBuilder graph, int context, int heads, boolean causal) {
        return graph.attention(
                "attention", graph.linear("q", 0), graph.linear("k", context), graph.linear("v", context), heads, causal);
    }

    private void elementwise() {
        RandomWeights none = new RandomWeights(random);
        Shape shape = new Shape(2, 7, 5, 33);
        for (PostOp.Kind kind : FUNCTIONS) {
            add(Op.Activation.class, kind.name(), none, shape, graph -> graph.activation("activation", kind, 0));
        }
        RandomWeights slopes = new RandomWeights(random).scale("prelu", 33);
        add(Op.Prelu.class, "a slope for each channel", slopes, shape, graph -> graph.prelu("prelu", 0));
        add(Op.Add.class, "two results", none, shape, graph -> graph.add("add", 0, graph.input("other", shape)));
        add(Op.AddPerChannel.class, "one value a channel", none, shape, graph ->
                graph.addPerChannel("add", 0, graph.input("other", new Shape(2, 1, 1, 33))));
        add(Op.Concat.class, "33 and 20 channels", none, shape, graph ->
                graph.concat("concat", 0, graph.input("other", shape.withChannels(20))));
        add(Op.UpsampleNearest.class, "7x5 to 14x10", none, shape, graph -> graph.upsample("upsample", 0, 14, 10));
        add(Op.UpsampleNearest.class, "7x5 to 13x9", none, shape, graph -> graph.upsample("upsample", 0, 13, 9));
        for (int width : new int[] {1, 5}) {
            add(Op.WrapAround.class, "7x5 within " + width, none, shape, graph -> graph.wrapAround("wrap", 0, width));
        }
    }

    private void embeddings() {
        RandomWeights tables = new RandomWeights(random).matrix("e.token_embedding", 50, 24).matrix("e.position_embedding", 13, 24);
        GraphBuilder ids = new GraphBuilder(tables::shape, "");
        ids.output("out", ids.embedding("e", ids.exactInput("in", Shape.tokens(2, 11, 1))));
        float[] chosen = new float[22];
        for (int i = 0; i < chosen.length; i++) {
            chosen[i] = random.nextInt(50);
        }
        cases.add(new OpCase(Op.Embedding.class, "11 tokens of 50", tables, ids.build(), Map.of("in", chosen), ALLOWED_F32));
        GraphBuilder timesteps = new GraphBuilder(tables::shape, "");
        timesteps.output("out", timesteps.timestepEmbedding("t", timesteps.exactInput("in", new Shape(2, 1, 1, 1)), 64));
        Map<String, float[]> two = Map.of("in", new float[] {999, 0.5f});
        cases.add(new OpCase(Op.TimestepEmbedding.class, "timesteps 999 and 0.5", tables, timesteps.build(), two, ALLOWED_ANGLES));
    }

    /** A case whose first input is random and called "in"; {@code body} may add inputs, and gives the node to compare. */
    private void add(Class<? extends Op> op, String name, WeightSource weights, Shape shape, ToIntFunction<GraphBuilder> body) {
        GraphBuilder builder = new GraphBuilder(weights::shape, "");
        builder.input("in", shape);
        builder.output("out", body.applyAsInt(builder));
        Graph graph = builder.build();
        Map<String, float[]> inputs = new TreeMap<>();
        // In the order of names: the map of inputs has none of its own, and the numbers are to be the same in every run.
        new TreeMap<>(graph.inputs())
                .forEach((input, node) -> inputs.put(input, normals(random, graph.shapeOf(node).elements(), 1)));
        cases.add(new OpCase(op, name, weights, graph, inputs, ALLOWED_F32));
    }
}
