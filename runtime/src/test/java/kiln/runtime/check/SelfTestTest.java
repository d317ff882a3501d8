package kiln.runtime.check;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.DoubleConsumer;
import kiln.runtime.base.Precision;
import kiln.runtime.exec.CompiledGraph;
import kiln.runtime.exec.Executor;
import kiln.runtime.exec.reference.ReferenceExecutor;
import kiln.runtime.graph.Fusion;
import kiln.runtime.graph.Graph;
import org.junit.jupiter.api.Test;

class SelfTestTest {
    @Test
    void aFusingExecutorPasses() {
        assertThat(SelfTest.run(weights -> new Wrapped(new ReferenceExecutor(weights), true, 0), result -> {}))
                .allSatisfy(result -> assertThat(result.ok()).as(result.toString()).isTrue())
                .allSatisfy(result -> assertThat(result.allowed()).as("32-bit results").isLessThan(1e-3));
    }

    @Test
    void oneWrongElementFailsEveryCase() {
        assertThat(SelfTest.run(weights -> new Wrapped(new ReferenceExecutor(weights), false, 1), result -> {}))
                .allSatisfy(result -> assertThat(result.ok()).as(result.toString()).isFalse());
        assertThat(SelfTest.run(weights -> new Wrapped(new ReferenceExecutor(weights), false, Float.NaN), result -> {}))
                .allSatisfy(result -> assertThat(result.ok()).as(result.toString()).isFalse());
    }

    @Test
    void anOpThatCannotBeComputedIsToldWithItsReason() {
        List<SelfTest.Case> cases = SelfTest.run(weights -> {
            throw new IllegalStateException("no such device");
        }, result -> {});
        assertThat(cases).isNotEmpty().allSatisfy(result -> {
            assertThat(result.ok()).isFalse();
            assertThat(result.message()).contains("no such device");
        });
    }

    /** An executor that fuses first, or whose last value is off. */
    private record Wrapped(Executor executor, boolean fuses, float off) implements Executor {
        @Override
        public String description() {
            return "f32 on a CPU with bf16";
        }

        @Override
        public Precision precision() {
            return executor.precision();
        }

        @Override
        public void reload(Set<String> tensors, DoubleConsumer progress) {
            executor.reload(tensors, progress);
        }

        @Override
        public CompiledGraph compile(String network, Graph graph, DoubleConsumer progress) {
            CompiledGraph compiled = executor.compile(network, fuses ? Fusion.fuse(graph) : graph, progress);
            return new CompiledGraph() {
                @Override
                public Map<String, float[]> run(Map<String, float[]> inputs, Progress listener) {
                    Map<String, float[]> outputs = new HashMap<>(compiled.run(inputs, listener));
                    float[] out = outputs.get("out");
                    out[out.length - 1] += off;
                    return outputs;
                }

                @Override
                public void close() {
                    compiled.close();
                }
            };
        }

        @Override
        public void close() {
            executor.close();
        }
    }
}
