package kiln.runtime.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import kiln.runtime.exec.CompiledGraph;
import kiln.runtime.exec.CompiledGraph.Progress;
import kiln.runtime.exec.MemoryWeights;
import kiln.runtime.exec.reference.ReferenceExecutor;
import kiln.runtime.family.ModelFiles;
import kiln.runtime.model.Checkpoint;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class FusionTest {
    /** Fused sums add the same 32-bit numbers; only a product with packed weights could be cut into other lanes. */
    private static final float TOLERANCE = 1e-5f;

    private static final int CHANNELS = 8;

    private final ModelFiles file = ModelFiles.open(Path.of("demo/kiln-demo.safetensors"));
    private final Checkpoint model = Checkpoint.infer(file::shape);
    private final Graph unet = model.unet().graph(file::shape, 2, 8, 12, 77, 1);
    private final Graph text = model.text().graph(file::shape, 2, 77, 1);
    private final Graph decoder = model.vae().decoder(file::shape, 1, 8, 12);
    private final Graph encoder = model.vae().encoder(file::shape, 1, 64, 96);

    @AfterEach
    void close() {
        file.close();
    }

    @Test
    void elementwiseNodesDisappearFromAllNetworks() {
        for (Graph graph : List.of(unet, text, decoder, encoder)) {
            Graph fused = Fusion.fuse(graph);
            Set<Class<?>> left = fused.nodes().stream().map(node -> node.op().getClass()).collect(Collectors.toSet());
            assertThat(left).doesNotContain(Op.Activation.class, Op.Add.class, Op.AddPerChannel.class, Op.UpsampleNearest.class);
            assertThat(count(graph, Op.Activation.class) + count(graph, Op.Add.class) + count(graph, Op.AddPerChannel.class))
                    .isEqualTo(fused.nodes().stream().mapToLong(node -> node.postOps().size()).sum());
        }
    }

    @Test
    void attentionReadsPackedInputs() {
        for (Graph graph : List.of(unet, text, decoder, encoder)) {
            Graph fused = Fusion.fuse(graph);
            for (Node node : fused.nodes()) {
                if (node.op() instanceof Op.Attention attention) {
                    int channels = attention.channels();
                    boolean crosses = node.name().endsWith("attn2");
                    List<Integer> from = node.inputs();
                    assertThat(from.get(1)).as(node.name()).isEqualTo(from.get(2));
                    assertThat(from.get(0).equals(from.get(1))).as(node.name()).isEqualTo(!crosses);
                    assertThat(fused.shapeOf(from.get(1)).channels()).isEqualTo((crosses ? 2 : 3) * channels);
                    List<Integer> offsets = List.of(attention.qOffset(), attention.kOffset(), attention.vOffset());
                    assertThat(offsets).isEqualTo(crosses ? List.of(0, 0, channels) : List.of(0, channels, 2 * channels));
                }
            }
            assertThat(count(fused, Op.Attention.class)).isEqualTo(count(graph, Op.Attention.class)).isPositive();
        }
    }

    @Test
    void doublingGoesIntoTheConvolutionBehindIt() {
        Graph fused = Fusion.fuse(decoder);
        long doubling = fused.nodes().stream().filter(node -> node.op() instanceof Op.Conv2d conv && conv.upsample()).count();
        assertThat(doubling).isEqualTo(count(decoder, Op.UpsampleNearest.class)).isPositive();
        assertThat(fused.flops()).isLessThan(decoder.flops());
    }

    @Test
    void resizingToOtherSizesStays() {
        Graph odd = model.unet().graph(file::shape, 1, 9, 13, 77, 1);
        assertThat(count(Fusion.fuse(odd), Op.UpsampleNearest.class)).isPositive();
    }

    @Test
    void everyParameterIsKept() {
        for (Graph graph : List.of(unet, text, decoder, encoder)) {
            assertThat(names(Fusion.fuse(graph))).containsExactlyInAnyOrderElementsOf(names(graph));
        }
    }

    @Test
    void fusingTwiceChangesNothing() {
        for (Graph graph : List.of(unet, text, decoder, encoder)) {
            Graph fused = Fusion.fuse(graph);
            // As a condition: the two lists are too long to be printed.
            assertThat(Fusion.fuse(fused).equals(fused)).isTrue();
        }
    }

    @Test
    void randomGraphsKeepTheirResults() {
        int folded = 0;
        for (long seed = 0; seed < 400; seed++) {
            Random random = new Random(seed);
            MemoryWeights weights = weights(random);
            Graph graph = randomGraph(random, weights);
            Graph fused = Fusion.fuse(graph);
            folded += graph.nodes().size() - fused.nodes().size();
            Map<String, float[]> inputs = new HashMap<>();
            graph.inputs().forEach((name, node) -> inputs.put(name, normals(random, (int) graph.shapeOf(node).elements())));
            Map<String, float[]> expected = run(weights, graph, inputs);
            Map<String, float[]> found = run(weights, fused, inputs);
            assertThat(found.keySet()).isEqualTo(expected.keySet());
            for (String output : expected.keySet()) {
                float[] a = found.get(output);
                float[] b = expected.get(output);
                assertThat(a).hasSameSizeAs(b);
                for (int i = 0; i < a.length; i++) {
                    assertThat(a[i]).as("seed %d, %s[%d]", seed, output, i).isCloseTo(b[i], within(TOLERANCE * (1 + Math.abs(b[i]))));
                }
            }
        }
        assertThat(folded).as("nodes that fusion saved in all").isGreaterThan(1000);
    }

    private static Map<String, float[]> run(MemoryWeights weights, Graph graph, Map<String, float[]> inputs) {
        try (ReferenceExecutor executor = new ReferenceExecutor(weights);
                CompiledGraph compiled = executor.compile(graph)) {
            return compiled.run(inputs, Progress.NONE);
        }
    }

    private static MemoryWeights weights(Random random) {
        MemoryWeights weights = new MemoryWeights(random);
        for (String name : List.of("q", "k", "v")) {
            weights.add(name + ".weight", CHANNELS, CHANNELS).add(name + ".bias", CHANNELS);
        }
        weights.add("plain.weight", CHANNELS, CHANNELS);
        weights.add("narrow.weight", CHANNELS, 2 * CHANNELS).add("narrow.bias", CHANNELS);
        weights.add("conv.weight", CHANNELS, CHANNELS, 3, 3).add("conv.bias", CHANNELS);
        return weights.add("norm.weight", CHANNELS).add("norm.bias", CHANNELS);
    }

    /** Nodes of all kinds that read anything before them: results with several readers, outputs in the middle, chains of sums. */
    private static Graph randomGraph(Random random, MemoryWeights weights) {
        GraphBuilder g = new GraphBuilder(weights::shape, "");
        int vector = g.input("vector", new Shape(random.nextBoolean() ? 1 : 2, 1, 1, CHANNELS));
        List<Integer> maps = new ArrayList<>();
        maps.add(g.input("a", new Shape(2, 4, 6, CHANNELS)));
        maps.add(g.input("b", new Shape(2, 4, 6, CHANNELS)));
        for (int i = 0; i < 18; i++) {
            int x = pick(random, maps);
            int y = pick(random, maps);
            PostOp.Kind kind = List.of(PostOp.Kind.SILU, PostOp.Kind.GELU, PostOp.Kind.QUICK_GELU).get(random.nextInt(3));
            int node = switch (random.nextInt(11)) {
                case 0, 1 -> g.activation("f" + i, kind, x);
                case 2, 3 -> g.add("add" + i, x, y);
                case 4 -> g.addPerChannel("vector" + i, x, vector);
                case 5 -> g.linear("plain", x);
                case 6 -> g.conv3x3("conv", x);
                case 7 -> g.groupNorm("norm", x, 4, 1e-5f);
                case 8 -> g.linear("narrow", g.concat("concat" + i, x, y));
                case 9 -> g.attention("attention" + i, g.linear("q", x), g.linear("k", y), g.linear("v", y), 2, false);
                default -> g.conv("conv", g.conv3x3("conv", g.upsample("double" + i, x, 8, 12)), 3, 2, 1, 1);
            };
            maps.add(node);
        }
        g.output("last", maps.get(maps.size() - 1));
        g.output("other", pick(random, maps));
        return g.build();
    }

    /** Mostly late ones, so that chains come about. */
    private static int pick(Random random, List<Integer> nodes) {
        int back = Math.min(random.nextInt(nodes.size()), random.nextInt(nodes.size()));
        return nodes.get(nodes.size() - 1 - back);
    }

    private static float[] normals(Random random, int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    private static long count(Graph graph, Class<? extends Op> op) {
        return graph.nodes().stream().filter(node -> op.isInstance(node.op())).count();
    }

    private static List<String> names(Graph graph) {
        return graph.weights().stream().flatMap(weight -> weight.names().stream()).toList();
    }
}
