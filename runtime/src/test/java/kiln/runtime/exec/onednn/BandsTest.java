package kiln.runtime.exec.onednn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import kiln.runtime.base.Precision;
import kiln.runtime.exec.CompiledGraph;
import kiln.runtime.exec.CompiledGraph.Progress;
import kiln.runtime.exec.Executor;
import kiln.runtime.exec.NetworkGolden;
import kiln.runtime.exec.NetworkGolden.Deviation;
import kiln.runtime.exec.reference.ReferenceExecutor;
import kiln.runtime.family.ModelFiles;
import kiln.runtime.graph.Graph;
import kiln.runtime.model.NetworkShape;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Pictures computed some rows at a time. oneDNN may sum in another order for another height, so they are as close as sums of 32 bits are. */
class BandsTest {
    /** Bands as low as there are. */
    private static final long LOWEST = 1;
    /** One band. */
    private static final long WHOLE = Long.MAX_VALUE / 2;

    private static ModelFiles files;

    @BeforeAll
    static void open() {
        assumeTrue(OneDnn.unavailableBecause() == null, () -> "skipped: " + OneDnn.unavailableBecause());
        files = ModelFiles.open(Path.of("demo", "kiln-demo.safetensors"));
    }

    @AfterAll
    static void close() {
        if (files != null) {
            files.close();
        }
    }

    @ParameterizedTest
    @CsvSource({"8, 8", "9, 7", "13, 5", "6, 17"})
    void aDecodeInBandsEqualsPlainJava(int height, int width) {
        Graph decoder = files.model().graph(NetworkShape.decoder(1, height, width));
        float[] input = values(decoder);
        try (Executor reference = new ReferenceExecutor(files)) {
            float[] expected = run(reference, decoder, input);
            assertThat(deviation(Precision.F32, LOWEST, decoder, input, expected).largest()).isLessThanOrEqualTo(NetworkGolden.F32);
        }
    }

    @ParameterizedTest
    @CsvSource({"64, 64", "72, 56", "104, 40", "48, 136"})
    void anEncodeInBandsEqualsPlainJava(int height, int width) {
        Graph encoder = files.model().graph(NetworkShape.encoder(1, height, width));
        float[] input = values(encoder);
        try (Executor reference = new ReferenceExecutor(files)) {
            float[] expected = run(reference, encoder, input);
            assertThat(deviation(Precision.F32, LOWEST, encoder, input, expected).largest()).isLessThanOrEqualTo(NetworkGolden.F32);
        }
    }

    @Test
    void theHeightOfBandsDoesNotShow() {
        Graph decoder = files.model().graph(NetworkShape.decoder(1, 31, 19));
        float[] input = values(decoder);
        try (Executor whole = new OneDnnExecutor(files, Precision.F32, false, WHOLE)) {
            float[] expected = run(whole, decoder, input);
            assertThat(deviation(Precision.F32, LOWEST, decoder, input, expected).largest()).isLessThanOrEqualTo(NetworkGolden.F32);
            assertThat(deviation(Precision.F32, 100_000, decoder, input, expected).largest()).isLessThanOrEqualTo(NetworkGolden.F32);
        }
    }

    /** Equal here, to the bit; where another height sums in another order, 8 bits round the other way now and then. */
    @Test
    void theHeightOfBandsDoesNotShowInBf16() {
        assumeTrue(OneDnn.computesBf16(), () -> "skipped: " + OneDnn.instructionSet() + " computes no bf16");
        Graph decoder = files.model().graph(NetworkShape.decoder(1, 31, 19));
        float[] input = values(decoder);
        try (Executor whole = new OneDnnExecutor(files, Precision.BF16, false, WHOLE)) {
            float[] expected = run(whole, decoder, input);
            assertThat(deviation(Precision.BF16, LOWEST, decoder, input, expected).mean()).isLessThanOrEqualTo(NetworkGolden.BF16);
        }
    }

    /** A band is as long as anyone waits who wants to stop. */
    @Test
    void progressIsToldAtEachBand() {
        Graph decoder = files.model().graph(NetworkShape.decoder(1, 16, 16));
        AtomicInteger lowest = new AtomicInteger();
        AtomicInteger whole = new AtomicInteger();
        count(LOWEST, decoder, lowest);
        count(WHOLE, decoder, whole);
        assertThat(lowest.get()).isGreaterThan(whole.get() + 50);
    }

    private static void count(long bandBytes, Graph graph, AtomicInteger calls) {
        try (Executor executor = new OneDnnExecutor(files, Precision.F32, false, bandBytes);
                CompiledGraph compiled = executor.compile(graph)) {
            compiled.run(Map.of("latent", values(graph)), flops -> calls.incrementAndGet());
        }
    }

    private static Deviation deviation(Precision precision, long bandBytes, Graph graph, float[] input, float[] expected) {
        try (Executor executor = new OneDnnExecutor(files, precision, false, bandBytes)) {
            return Deviation.of("bands of " + bandBytes, run(executor, graph, input), expected);
        }
    }

    private static float[] run(Executor executor, Graph graph, float[] input) {
        try (CompiledGraph compiled = executor.compile(graph)) {
            String name = graph.inputs().keySet().iterator().next();
            return compiled.run(Map.of(name, input), Progress.NONE).values().iterator().next();
        }
    }

    private static float[] values(Graph graph) {
        Random random = new Random(11);
        float[] values = new float[(int) graph.shapeOf(graph.inputs().values().iterator().next()).elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }
}
