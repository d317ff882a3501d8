package kiln.runtime.exec.onednn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.UnaryOperator;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.Precision;
import kiln.runtime.base.Selection;
import kiln.runtime.check.SelfTest;
import kiln.runtime.engine.EngineOptions;
import kiln.runtime.exec.CompiledGraph;
import kiln.runtime.exec.MemoryWeights;
import kiln.runtime.exec.NetworkGolden;
import kiln.runtime.exec.NetworkGolden.Deviation;
import kiln.runtime.family.ModelFiles;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.PostOp;
import kiln.runtime.graph.SeamlessTiling;
import kiln.runtime.model.ClipText;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OneDnnExecutorTest {
    private static final Path DEMO = Path.of("demo", "kiln-demo.safetensors");

    @BeforeEach
    void requireLibrary() {
        assumeTrue(OneDnn.unavailableBecause() == null, () -> "skipped: " + OneDnn.unavailableBecause());
    }

    @Test
    void networksEqualPyTorchInF32() {
        for (NetworkGolden golden : NetworkGolden.all()) {
            golden.check(source -> new OneDnnExecutor(source, Precision.F32), NetworkGolden.F32);
        }
    }

    @Test
    void seamlessNetworksEqualPyTorchWithCircularPadding() {
        NetworkGolden.tiled().check(source -> new OneDnnExecutor(source, Precision.F32), SeamlessTiling::of, NetworkGolden.F32);
    }

    /** On average: a single value may be off by some hundredths of the largest, where a sum cancels that 8 bits cannot hold. */
    @Test
    void networksEqualPyTorchOnAverageInBf16() {
        requireBf16();
        for (NetworkGolden golden : NetworkGolden.all()) {
            for (Deviation deviation : golden.compare(source -> new OneDnnExecutor(source, Precision.BF16), UnaryOperator.identity())) {
                assertThat(deviation.mean()).as("%s", deviation).isLessThanOrEqualTo(NetworkGolden.BF16);
            }
        }
    }

    private static void requireBf16() {
        assumeTrue(OneDnn.computesBf16(), () -> "skipped: " + OneDnn.instructionSet() + " computes no bf16");
    }

    @Test
    void bf16IsRefusedInOneLineWhereTheCpuHasNone() {
        assumeTrue(!OneDnn.computesBf16(), "skipped: this CPU has it; ONEDNN_MAX_CPU_ISA=AVX2 takes it away");
        assertThatThrownBy(() -> new OneDnnExecutor(new MemoryWeights(new Random(1)), Precision.BF16))
                .isInstanceOf(KilnException.class)
                .hasMessageContaining(OneDnn.instructionSet())
                .hasMessageNotContaining("\n");
        try (OneDnnExecutor automatic = new OneDnnExecutor(new MemoryWeights(new Random(1)), Precision.AUTO)) {
            assertThat(automatic.precision()).isEqualTo(Precision.F32);
        }
    }

    @Test
    void everyOpEqualsPlainJavaInF32(@TempDir Path cache) {
        everyOpEqualsPlainJava(Precision.F32, cache);
    }

    @Test
    void everyOpEqualsPlainJavaInBf16(@TempDir Path cache) {
        requireBf16();
        everyOpEqualsPlainJava(Precision.BF16, cache);
    }

    private static void everyOpEqualsPlainJava(Precision precision, Path cache) {
        EngineOptions options = new EngineOptions(List.of(), List.of(), null, null, cache, "onednn", precision, 0);
        for (SelfTest.Case result : SelfTest.run(options, Selection.ALL, notice -> {}, result -> {}).cases()) {
            assertThat(result.ok()).as("%s: %s", precision, result).isTrue();
        }
    }

    @Test
    void aRunStopsBeforeTheNextNodeWhenItsListenerThrows() {
        try (ModelFiles file = ModelFiles.open(DEMO);
                OneDnnExecutor executor = new OneDnnExecutor(file, Precision.F32)) {
            Graph graph = ClipText.infer(file::shape, PostOp.Kind.QUICK_GELU).graph(file::shape, 1, 77, 1);
            try (CompiledGraph compiled = executor.compile(graph)) {
                int[] calls = new int[1];
                CompiledGraph.Progress third = flops -> {
                    if (++calls[0] == 3) {
                        throw KilnException.cancelled();
                    }
                };
                assertThatThrownBy(() -> compiled.run(Map.of("tokens", new float[77]), third)).isInstanceOf(KilnException.class);
                assertThat(calls[0]).isEqualTo(3);
                // Nothing is left half done: the next run is a whole one.
                assertThat(compiled.run(Map.of("tokens", new float[77]), CompiledGraph.Progress.NONE).get("context"))
                        .hasSize(77 * 64)
                        .doesNotContain(Float.NaN);
            }
        }
    }

    @Test
    void useAfterCloseIsNamed() {
        try (ModelFiles file = ModelFiles.open(DEMO)) {
            OneDnnExecutor executor = new OneDnnExecutor(file, Precision.F32);
            Graph graph = ClipText.infer(file::shape, PostOp.Kind.QUICK_GELU).graph(file::shape, 1, 77, 1);
            CompiledGraph compiled = executor.compile(graph);
            compiled.close();
            compiled.close();
            assertThatThrownBy(() -> compiled.run(Map.of(), CompiledGraph.Progress.NONE)).hasMessageContaining("closed");
            executor.close();
            executor.close();
            assertThatThrownBy(() -> executor.compile(graph)).hasMessageContaining("closed");
        }
    }

    @Test
    void bf16RoundsToTheNearestEven() {
        assertThat(Transfer.toBf16(1.0f)).isEqualTo((short) 0x3f80);
        assertThat(Transfer.toBf16(Float.intBitsToFloat(0x3f808000))).isEqualTo((short) 0x3f80);
        assertThat(Transfer.toBf16(Float.intBitsToFloat(0x3f818000))).isEqualTo((short) 0x3f82);
        assertThat(Transfer.toBf16(Float.intBitsToFloat(0x3f808001))).isEqualTo((short) 0x3f81);
        assertThat(Transfer.toBf16(Float.NEGATIVE_INFINITY)).isEqualTo((short) 0xff80);
        assertThat(Float.intBitsToFloat(Transfer.toBf16(Float.NaN) << 16)).isNaN();
    }
}
