package kiln.runtime.check;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.ToIntFunction;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.Selection;
import kiln.runtime.base.WeightFormat;
import kiln.runtime.engine.Devices;
import kiln.runtime.engine.EngineOptions;
import kiln.runtime.exec.CompiledGraph;
import kiln.runtime.exec.CompiledGraph.Progress;
import kiln.runtime.exec.Executor;
import kiln.runtime.exec.WeightSource;
import kiln.runtime.exec.reference.ReferenceExecutor;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.GraphBuilder;
import kiln.runtime.graph.Node;
import kiln.runtime.graph.Op;
import kiln.runtime.graph.PostOp;
import kiln.runtime.graph.Shape;

/**
 * Runs every op on an executor and compares it with plain Java, so that a person can tell a broken machine, driver or library from a bad
 * prompt. Weights and inputs are random with a fixed seed; sizes are those of SD 1.x's levels and odd ones.
 */
public final class SelfTest {
    /**
     * How one case went.
     *
     * @param op the op's name, as in {@link Op}
     * @param name what the case is about
     * @param error max|result − reference| / max|reference|, which one wrong element shows in; NaN when it could not be computed
     * @param allowed by the executor's number format
     * @param message why it could not be computed; else {@code null}
     */
    public record Case(String op, String name, double error, double allowed, boolean ok, String message) {}

    /**
     * How all of them went.
     *
     * @param device what was tested, for people
     */
    public record Outcome(String device, List<Case> cases) {
        public Outcome {
            cases = List.copyOf(cases);
        }
    }

    /** Sums of up to 2880 products in another order differ by some 1e-6 in 32 bits. */
    private static final double ALLOWED_F32 = 1e-5;
    /** The sine of an angle of 999, whose frequency and product are both rounded to 32 bits: 6e-5 each. */
    private static final double ALLOWED_ANGLES = 1.3e-4;
    /** Inputs, weights and results are rounded to 8 bits each, 2⁻⁹ at most relative to themselves. */
    private static final double ALLOWED_BF16 = 2e-2;
    /** Rounded to 11 bits: an eighth of that. */
    private static final double ALLOWED_F16 = 2.5e-3;
    /** Weights are rounded to 8 bits of the largest in their row. */
    private static final double ALLOWED_INT8 = ALLOWED_BF16;

    /** Ops that count as part of the one before them. */
    private static final Set<String> POST_OPS = Set.of("Activation", "Add", "AddPerChannel");

    private final Function<WeightSource, Executor> factory;
    private final Selection selection;
    private final double allowedF16;
    private final Consumer<Case> listener;
    private final List<Case> cases = new ArrayList<>();
    private final Random random = new Random(1);
    private String device = "";

    private SelfTest(Function<WeightSource, Executor> factory, Selection selection, double allowedF16, Consumer<Case> listener) {
        this.factory = factory;
        this.selection = selection;
        this.allowedF16 = allowedF16;
        this.listener = listener;
    }

    /**
     * Tests the executor that the options choose.
     *
     * @param notices told in one line what a person may want to know while the executor works, more than once too
     */
    public static Outcome run(EngineOptions options, Selection selection, Consumer<String> notices, Consumer<Case> listener) {
        double allowedF16 = options.device().weights() == WeightFormat.INT8 ? ALLOWED_INT8 : ALLOWED_F16;
        return test(weights -> Devices.alone(options, weights, notices), selection, allowedF16, listener);
    }

    /** Tests every case. */
    static List<Case> run(Function<WeightSource, Executor> factory, Consumer<Case> listener) {
        return run(factory, Selection.ALL, listener);
    }

    /**
     * @param factory makes the executor under test, anew for each case; it is closed here
     * @param selection of "op:", its name and the case's
     * @param listener told each case as soon as it is done
     */
    public static List<Case> run(Function<WeightSource, Executor> factory, Selection selection, Consumer<Case> listener) {
        return test(factory, selection, ALLOWED_F16, listener).cases();
    }

    private static Outcome test(
            Function<WeightSource, Executor> factory, Selection selection, double allowedF16, Consumer<Case> listener) {
        SelfTest test = new SelfTest(factory, selection, allowedF16, listener);
        test.convolutions();
        test.matrices();
        test.postOps();
        test.norms();
        test.attentions();
        test.elementwise();
        test.embeddings();
        return new Outcome(test.device, test.cases);
    }

    private void convolutions() {
        for (int[] size : new int[][] {{1, 9, 7, 4, 32}, {2, 16, 16, 64, 64}, {1, 5, 5, 3, 5}, {2, 8, 8, 320, 320}}) {
            Weights weights = new Weights(random).matrix("conv", size[4], size[3], 3, 3).bias("conv", size[4]);
            Shape shape = new Shape(size[0], size[1], size[2], size[3]);
            check("3x3, " + shape + " to " + size[4], weights, shape, graph -> graph.conv3x3("conv", 0));
        }
        Weights weights = new Weights(random).matrix("conv", 48, 32, 3, 3).bias("conv", 48);
        Shape odd = new Shape(2, 9, 7, 32);
        check("3x3, stride 2, padded by 1", weights, odd, graph -> graph.conv("conv", 0, 3, 2, 1, 1));
        check("3x3, stride 2, padded behind only", weights, odd, graph -> graph.conv("conv", 0, 3, 2, 0, 1));
        check("3x3 with SiLU", weights, odd, graph -> graph.silu("silu", graph.conv3x3("conv", 0)));
        check("3x3 after doubling", weights, odd, graph -> graph.conv3x3("conv", graph.upsample("double", 0, 18, 14)));
    }

    private void matrices() {
        Weights weights = new Weights(random).matrix("a", 48, 40).bias("a", 48).matrix("b", 96, 40).bias("b", 96).matrix("c", 7, 40);
        Shape tokens = Shape.tokens(2, 77, 40);
        check("77 tokens, 40 to 48", weights, tokens, graph -> graph.linear("a", 0));
        check("without bias, to 7", weights, tokens, graph -> graph.linear("c", 0));
        check("one token", weights, Shape.tokens(1, 1, 40), graph -> graph.linear("a", 0));
        check("77 tokens, 40 to 48", weights, tokens, graph -> graph.geglu("b", 0));
        Weights large = new Weights(random).matrix("a", 768, 768).bias("a", 768);
        check("77 tokens, 768 to 768", large, Shape.tokens(1, 77, 768), graph -> graph.linear("a", 0));
    }

    /** What fusion hangs onto convolutions and linear layers, in the networks' orders; 33 channels leave a tail in every vector width. */
    private void postOps() {
        Weights weights = new Weights(random).matrix("conv", 33, 20, 3, 3).bias("conv", 33).matrix("a", 33, 20).bias("a", 33);
        Shape shape = new Shape(2, 7, 5, 20);
        Shape result = shape.withChannels(33);
        for (int batch : new int[] {1, 2}) {
            check("3x3 plus a vector, batch " + batch, weights, shape, graph ->
                    graph.addPerChannel("sum", graph.conv3x3("conv", 0), graph.input("other", new Shape(batch, 1, 1, 33))));
        }
        check("3x3 plus a result", weights, shape, graph -> {
            int other = graph.input("other", result);
            return graph.add("sum", other, graph.conv3x3("conv", 0));
        });
        check("plus a result", weights, shape, graph -> {
            int other = graph.input("other", result);
            return graph.add("sum", other, graph.linear("a", 0));
        });
        for (PostOp.Kind kind : List.of(PostOp.Kind.SILU, PostOp.Kind.GELU, PostOp.Kind.QUICK_GELU)) {
            check("with " + kind, weights, shape, graph -> graph.activation("function", kind, graph.linear("a", 0)));
        }
    }

    private void norms() {
        Weights weights = new Weights(random).bias("norm", 64).scale("norm", 64);
        Shape shape = new Shape(2, 7, 5, 64);
        check("32 groups of 64", weights, shape, graph -> graph.groupNorm("norm", 0, 32, 1e-5f));
        check("32 groups of 64 with SiLU", weights, shape, graph -> graph.silu("silu", graph.groupNorm("norm", 0, 32, 1e-6f)));
        check("64 channels", weights, shape, graph -> graph.layerNorm("norm", 0, 1e-5f));
    }

    private void attentions() {
        Weights weights = new Weights(random);
        for (String name : List.of("q", "k", "v")) {
            weights.matrix(name, 80, 80).bias(name, 80);
        }
        for (int heads : new int[] {1, 2, 8}) {
            check(heads + " of " + 80 / heads + ", 8x6", weights, new Shape(2, 8, 6, 80), graph -> attention(graph, 0, heads, false));
        }
        check("2 of 40, 13 tokens, causal", weights, Shape.tokens(2, 13, 80), graph -> attention(graph, 0, 2, true));
        check("2 of 40, keys of 77 tokens", weights, new Shape(2, 5, 7, 80), graph -> {
            int context = graph.input("context", Shape.tokens(2, 77, 80));
            return attention(graph, context, 2, false);
        });
    }

    private static int attention(GraphBuilder graph, int context, int heads, boolean causal) {
        return graph.attention(
                "attention", graph.linear("q", 0), graph.linear("k", context), graph.linear("v", context), heads, causal);
    }

    private void elementwise() {
        Weights none = new Weights(random);
        Shape shape = new Shape(2, 7, 5, 33);
        for (PostOp.Kind kind : List.of(PostOp.Kind.SILU, PostOp.Kind.GELU, PostOp.Kind.QUICK_GELU)) {
            check(kind.name(), none, shape, graph -> graph.activation("activation", kind, 0));
        }
        check("two results", none, shape, graph -> graph.add("add", 0, graph.input("other", shape)));
        check("one value a channel", none, shape, graph -> graph.addPerChannel("add", 0, graph.input("other", new Shape(2, 1, 1, 33))));
        check("33 and 20 channels", none, shape, graph -> graph.concat("concat", 0, graph.input("other", shape.withChannels(20))));
        check("7x5 to 14x10", none, shape, graph -> graph.upsample("upsample", 0, 14, 10));
        check("7x5 to 13x9", none, shape, graph -> graph.upsample("upsample", 0, 13, 9));
    }

    private void embeddings() {
        Weights tables = new Weights(random).matrix("e.token_embedding", 50, 24).matrix("e.position_embedding", 13, 24);
        GraphBuilder ids = new GraphBuilder(tables::shape, "");
        ids.output("out", ids.embedding("e", ids.exactInput("in", Shape.tokens(2, 11, 1))));
        float[] chosen = new float[22];
        for (int i = 0; i < chosen.length; i++) {
            chosen[i] = random.nextInt(50);
        }
        check("11 tokens of 50", tables, ids.build(), Map.of("in", chosen), ALLOWED_F32);
        GraphBuilder timesteps = new GraphBuilder(tables::shape, "");
        timesteps.output("out", timesteps.timestepEmbedding("t", timesteps.exactInput("in", new Shape(2, 1, 1, 1)), 64));
        check("timesteps 999 and 0.5", tables, timesteps.build(), Map.of("in", new float[] {999, 0.5f}), ALLOWED_ANGLES);
    }

    /** A case whose first input is random and called "in"; {@code body} may add inputs, and gives the node to compare. */
    private void check(String name, Weights weights, Shape shape, ToIntFunction<GraphBuilder> body) {
        GraphBuilder builder = new GraphBuilder(weights::shape, "");
        builder.input("in", shape);
        builder.output("out", body.applyAsInt(builder));
        Graph graph = builder.build();
        Map<String, float[]> inputs = new HashMap<>();
        graph.inputs().forEach((input, node) -> inputs.put(input, normals(random, graph.shapeOf(node).elements(), 1)));
        check(name, weights, graph, inputs, ALLOWED_F32);
    }

    private void check(String name, Weights weights, Graph graph, Map<String, float[]> inputs, double allowedF32) {
        String op = graph.nodes().stream()
                .filter(node -> !(node.op() instanceof Op.Input))
                .map(SelfTest::operation)
                .reduce((first, second) -> POST_OPS.contains(second) ? first : second)
                .orElseThrow();
        if (!selection.takes("op: " + op + ": " + name)) {
            return;
        }
        Case result;
        try (Executor executor = factory.apply(weights);
                Executor reference = new ReferenceExecutor(weights)) {
            device = executor.description();
            double allowed = switch (executor.precision()) {
                case F32 -> allowedF32;
                case F16 -> allowedF16;
                default -> ALLOWED_BF16;
            };
            double error = error(run(executor, graph, inputs), run(reference, graph, inputs));
            result = new Case(op, name, error, allowed, error <= allowed, null);
        } catch (KilnException e) {
            throw e;
        } catch (RuntimeException | LinkageError e) {
            result = new Case(op, name, Double.NaN, 0, false, e.toString());
        }
        cases.add(result);
        listener.accept(result);
    }

    private static String operation(Node node) {
        return node.op().getClass().getSimpleName();
    }

    private static float[] run(Executor executor, Graph graph, Map<String, float[]> inputs) {
        try (CompiledGraph compiled = executor.compile(graph)) {
            return compiled.run(inputs, Progress.NONE).get("out");
        }
    }

    private static double error(float[] result, float[] reference) {
        double difference = 0;
        double largest = 0;
        for (int i = 0; i < reference.length; i++) {
            difference = Math.max(difference, Math.abs((double) result[i] - reference[i]));
            largest = Math.max(largest, Math.abs(reference[i]));
        }
        return difference / largest;
    }

    private static float[] normals(Random random, long count, double deviation) {
        float[] values = new float[Math.toIntExact(count)];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (random.nextGaussian() * deviation);
        }
        return values;
    }

    /** Random parameters, scaled so that results are about as large as inputs. */
    private static final class Weights implements WeightSource {
        private final Map<String, List<Integer>> shapes = new HashMap<>();
        private final Map<String, float[]> values = new HashMap<>();
        private final Random random;

        Weights(Random random) {
            this.random = random;
        }

        Weights matrix(String module, Integer... shape) {
            long columns = 1;
            for (int i = 1; i < shape.length; i++) {
                columns *= shape[i];
            }
            shapes.put(module + ".weight", List.of(shape));
            values.put(module + ".weight", normals(random, shape[0] * columns, 1 / Math.sqrt(columns)));
            return this;
        }

        Weights scale(String module, int channels) {
            shapes.put(module + ".weight", List.of(channels));
            values.put(module + ".weight", normals(random, channels, 1));
            return this;
        }

        Weights bias(String module, int channels) {
            shapes.put(module + ".bias", List.of(channels));
            values.put(module + ".bias", normals(random, channels, 1));
            return this;
        }

        @Override
        public List<Integer> shape(String tensor) {
            return shapes.get(tensor);
        }

        @Override
        public void read(String tensor, FloatBuffer target) {
            target.put(values.get(tensor));
        }

        @Override
        public void readRange(String tensor, long begin, FloatBuffer target) {
            target.put(values.get(tensor), Math.toIntExact(begin), target.remaining());
        }
    }
}
