package kiln.runtime.exec.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CancellationException;
import kiln.runtime.exec.CompiledGraph;
import kiln.runtime.exec.CompiledGraph.Progress;
import kiln.runtime.exec.MemoryWeights;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.GraphBuilder;
import kiln.runtime.graph.Shape;
import org.junit.jupiter.api.Test;

/** What callers may rely on, apart from the numbers. */
class ReferenceExecutorTest {
    private static final float[] INPUT = {1, 2, 3, 4, 5, 6};

    private final MemoryWeights weights = new MemoryWeights(new Random(1))
            .add("net.a.weight", 3, 3).add("net.a.bias", 3).add("net.b.weight", 3, 3)
            .add("e.token_embedding.weight", 5, 2).add("e.position_embedding.weight", 4, 2);
    private final ReferenceExecutor executor = new ReferenceExecutor(weights);

    /** Two linear layers, a function between them; the input is an output too. */
    private Graph graph() {
        GraphBuilder g = new GraphBuilder(weights::shape, "net.");
        int x = g.input("x", Shape.tokens(1, 2, 3));
        g.output("same", x);
        g.output("y", g.linear("b", g.silu("silu", g.linear("a", x))));
        return g.build();
    }

    @Test
    void parametersAreReadOnceForAllGraphs() {
        CompiledGraph first = executor.compile(graph());
        CompiledGraph second = executor.compile(graph());
        first.run(Map.of("x", INPUT), Progress.NONE);
        second.run(Map.of("x", INPUT), Progress.NONE);
        assertThat(weights.reads("net.a.weight")).isOne();
        assertThat(weights.reads("net.a.bias")).isOne();
        assertThat(weights.reads("net.b.weight")).isOne();
    }

    @Test
    void runsLeaveInputsAloneAndOutputsBelongToTheCaller() {
        float[] input = INPUT.clone();
        CompiledGraph compiled = executor.compile(graph());
        Map<String, float[]> first = compiled.run(Map.of("x", input), Progress.NONE);
        float[] result = first.get("y").clone();
        first.get("same")[0] = 100;
        first.get("y")[0] = 100;
        assertThat(input).isEqualTo(INPUT);
        assertThat(compiled.run(Map.of("x", input), Progress.NONE).get("y")).isEqualTo(result);
    }

    @Test
    void inputsThatDoNotFitAreNamed() {
        CompiledGraph compiled = executor.compile(graph());
        assertThatIllegalArgumentException()
                .isThrownBy(() -> compiled.run(Map.of(), Progress.NONE))
                .withMessage("input x needs [1, 1, 2, 3], found nothing");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> compiled.run(Map.of("x", new float[5]), Progress.NONE))
                .withMessage("input x needs [1, 1, 2, 3], found 5 values");
    }

    @Test
    void idsOutsideTheVocabularyAreRefused() {
        GraphBuilder g = new GraphBuilder(weights::shape, "");
        g.output("y", g.embedding("e", g.exactInput("ids", Shape.tokens(1, 2, 1))));
        CompiledGraph compiled = executor.compile(g.build());
        for (float id : new float[] {-1, 5, 0.5f, Float.NaN}) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> compiled.run(Map.of("ids", new float[] {0, id}), Progress.NONE))
                    .withMessage("token id " + id + " is not one of the vocabulary of 5");
        }
    }

    @Test
    void progressCountsUpToTheGraphsWork() {
        List<Double> told = new ArrayList<>();
        Graph graph = graph();
        executor.compile(graph).run(Map.of("x", INPUT), told::add);
        assertThat(told).hasSize(graph.nodes().size() + 1).isSorted().startsWith(0.0).endsWith(graph.flops());
    }

    @Test
    void progressMayStopARunBetweenNodes() {
        List<Double> told = new ArrayList<>();
        CompiledGraph compiled = executor.compile(graph());
        assertThatThrownBy(() -> compiled.run(Map.of("x", INPUT), flops -> {
            told.add(flops);
            if (told.size() == 3) {
                throw new CancellationException("enough");
            }
        })).isInstanceOf(CancellationException.class);
        assertThat(told).hasSize(3);
        assertThat(compiled.run(Map.of("x", INPUT), Progress.NONE)).containsKey("y");
    }

    @Test
    void progressMayStopCompiling() {
        assertThatThrownBy(() -> executor.compile("network", graph(), fraction -> {
            throw new CancellationException("enough");
        })).isInstanceOf(CancellationException.class);
        assertThat(weights.reads("net.a.weight")).isZero();
    }

    @Test
    void useAfterClosingNamesWhatIsClosed() {
        CompiledGraph closed = executor.compile(graph());
        CompiledGraph open = executor.compile(graph());
        closed.close();
        closed.close();
        assertThatThrownBy(() -> closed.run(Map.of("x", INPUT), Progress.NONE))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("the compiled graph is closed");
        executor.close();
        executor.close();
        String message = "the reference executor is closed";
        assertThatThrownBy(() -> open.run(Map.of("x", INPUT), Progress.NONE)).isInstanceOf(IllegalStateException.class).hasMessage(message);
        assertThatThrownBy(() -> executor.compile(graph())).isInstanceOf(IllegalStateException.class).hasMessage(message);
    }
}
