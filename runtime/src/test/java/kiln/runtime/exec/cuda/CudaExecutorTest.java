package kiln.runtime.exec.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CancellationException;
import kiln.kernels.DataType;
import kiln.kernels.emulator.DriverCall;
import kiln.kernels.emulator.EmulatedCard;
import kiln.kernels.emulator.EmulatedDriver;
import kiln.runtime.base.KilnException;
import kiln.runtime.exec.CompiledGraph;
import kiln.runtime.exec.CompiledGraph.Progress;
import kiln.runtime.exec.MemoryWeights;
import kiln.runtime.exec.cuda.library.DeviceLibraries;
import kiln.runtime.exec.cuda.residence.MemoryBudget;
import kiln.runtime.exec.reference.ReferenceExecutor;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.GraphBuilder;
import kiln.runtime.graph.Shape;
import kiln.runtime.plan.Residency;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What the executor does around a run, on small graphs and an emulated card. */
class CudaExecutorTest {
    private static final int CHANNELS = 64;

    private final MemoryWeights weights = new MemoryWeights(new Random(1))
            .add("a.weight", CHANNELS, CHANNELS)
            .add("a.bias", CHANNELS)
            .add("b.weight", CHANNELS, CHANNELS)
            .add("b.bias", CHANNELS)
            .add("c.weight", CHANNELS, CHANNELS)
            .add("c.bias", CHANNELS)
            .add("norm.weight", CHANNELS)
            .add("norm.bias", CHANNELS);
    private final EmulatedDriver driver = new EmulatedDriver(EmulatedCard.ofBytes(1 << 20).withLazyStreams(3));
    private final List<String> notices = new ArrayList<>();
    private CudaDevice device;
    private CudaExecutor executor;

    @AfterEach
    void nothingIsLeftOnTheCard() {
        if (executor != null) {
            executor.close();
            executor.close();
        }
        if (device != null) {
            device.close();
            device.close();
        }
        assertThat(driver.record().liveAllocations()).isZero();
        assertThat(driver.record().livePinned()).isZero();
        assertThat(driver.record().leftovers()).isEmpty();
    }

    private CudaExecutor open(long budgetBytes) {
        CudaSettings settings =
                new CudaSettings(DataType.F16, Set.of(), false, new MemoryBudget(budgetBytes, 0, 0), Residency.RESIDENT, 1 << 28);
        device = new CudaDevice(driver.open(0), DeviceLibraries.none(), context -> settings);
        executor = (CudaExecutor) device.executor(weights, notices::add);
        return executor;
    }

    /** Linear layers one after another, then a norm. */
    private Graph chain(int rows, String... modules) {
        GraphBuilder g = new GraphBuilder(weights::shape, "");
        int x = g.input("x", Shape.tokens(1, rows, CHANNELS));
        for (String module : modules) {
            x = g.linear(module, x);
        }
        g.output("y", g.layerNorm("norm", x, 1e-5f));
        return g.build();
    }

    private static float[] ramp(int count, float scale) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = scale * (i % 17 - 8) / 8;
        }
        return values;
    }

    private static float[] run(CompiledGraph graph, float[] x) {
        return graph.run(Map.of("x", x), Progress.NONE).get("y");
    }

    private float[] expected(Graph graph, float[] x) {
        try (ReferenceExecutor reference = new ReferenceExecutor(weights);
                CompiledGraph compiled = reference.compile(graph)) {
            return run(compiled, x);
        }
    }

    /** Results of a norm are about 1; three roundings to 11 bits and what the norm makes of them. */
    private static void assertClose(float[] found, float[] expected) {
        assertThat(found).hasSameSizeAs(expected);
        for (int i = 0; i < found.length; i++) {
            assertThat(found[i]).as("value %d", i).isBetween(expected[i] - 0.01f, expected[i] + 0.01f);
        }
    }

    @Test
    void weightsAreReadOnceForAllSizesOfANetwork() {
        open(0);
        Graph small = chain(3, "a");
        Graph large = chain(40, "a");
        try (CompiledGraph first = executor.compile("n", small, f -> {});
                CompiledGraph second = executor.compile("n", large, f -> {})) {
            assertClose(run(first, ramp(3 * CHANNELS, 1)), expected(small, ramp(3 * CHANNELS, 1)));
            assertClose(run(second, ramp(40 * CHANNELS, 1)), expected(large, ramp(40 * CHANNELS, 1)));
            assertClose(run(first, ramp(3 * CHANNELS, 2)), expected(small, ramp(3 * CHANNELS, 2)));
            assertThat(driver.record().calls(DriverCall.ALLOCATE)).isEqualTo(2);
        }
    }

    @Test
    void aLargerGraphMovesResultsButNotWeights() {
        open(0);
        try (CompiledGraph first = executor.compile("n", chain(3, "a"), f -> {})) {
            run(first, ramp(3 * CHANNELS, 1));
            long copied = driver.record().bytesToDevice();
            Graph large = chain(200, "a");
            try (CompiledGraph second = executor.compile("n", large, f -> {})) {
                float[] x = ramp(200 * CHANNELS, 1);
                assertClose(run(second, x), expected(large, x));
            }
            assertThat(driver.record().bytesToDevice() - copied).as("the input alone").isEqualTo(200 * CHANNELS * 2);
        }
    }

    @Test
    void weightsThatChangedAreBroughtAnewToTheirPlaces() {
        open(0);
        Graph graph = chain(3, "a", "b");
        float[] x = ramp(3 * CHANNELS, 1);
        try (CompiledGraph compiled = executor.compile("n", graph, f -> {})) {
            executor.reload(Set.of("a.weight"), f -> {});
            float[] before = run(compiled, x);
            run(compiled, x);
            weights.scale("a.weight", 3);
            weights.scale("b.bias", -2);
            long copied = driver.record().bytesToDevice();
            executor.reload(Set.of("a.weight", "b.bias", "nothing"), f -> {});
            assertThat(driver.record().bytesToDevice() - copied).isBetween(2L * CHANNELS * CHANNELS, 2L * CHANNELS * CHANNELS + 4 * CHANNELS);
            assertThat(run(compiled, x)).isNotEqualTo(before);
            assertClose(run(compiled, x), expected(graph, x));
        }
    }

    @Test
    void streamedWeightsThatChangedAreMadeAnew() {
        int wide = 256;
        for (String module : List.of("wide2", "wide3", "wide4")) {
            weights.add(module + ".weight", wide, wide).add(module + ".bias", wide);
        }
        weights.add("wide1.weight", wide, CHANNELS).add("wide1.bias", wide).add("back.weight", CHANNELS, wide).add("back.bias", CHANNELS);
        Graph graph = chain(2, "wide1", "wide2", "wide3", "wide4", "back");
        float[] x = ramp(2 * CHANNELS, 1);
        open(384 << 10);
        try (CompiledGraph compiled = executor.compile("n", graph, f -> {})) {
            run(compiled, x);
            assertThat(executor.plan().residency()).isEqualTo(Residency.STREAMED);
            Set<String> all = Set.of("wide1.weight", "wide2.weight", "wide3.weight", "wide4.weight", "back.weight");
            all.forEach(tensor -> weights.scale(tensor, 2));
            executor.reload(all, f -> {});
            assertClose(run(compiled, x), expected(graph, x));
        }
    }

    @Test
    void streamedWeightsCrossTheBusOnceARun() {
        // Three matrices of 8 KiB are all small enough to stay whatever happens, so what is streamed has to be larger.
        int wide = 256;
        weights.add("wide1.weight", wide, CHANNELS).add("wide1.bias", wide);
        weights.add("wide2.weight", wide, wide).add("wide2.bias", wide);
        weights.add("wide3.weight", wide, wide).add("wide3.bias", wide);
        weights.add("wide4.weight", wide, wide).add("wide4.bias", wide);
        weights.add("back.weight", CHANNELS, wide).add("back.bias", CHANNELS);
        Graph graph = chain(2, "wide1", "wide2", "wide3", "wide4", "back");
        open(384 << 10);
        try (CompiledGraph compiled = executor.compile("n", graph, f -> {})) {
            float[] x = ramp(2 * CHANNELS, 1);
            assertClose(run(compiled, x), expected(graph, x));
            assertThat(executor.plan().residency()).isEqualTo(Residency.STREAMED);
            long streamed = executor.plan().streamedBytesPerStep();
            assertThat(streamed).isPositive();
            for (int i = 0; i < 3; i++) {
                long before = driver.record().bytesToDevice();
                assertClose(run(compiled, x), expected(graph, x));
                assertThat(driver.record().bytesToDevice() - before).isEqualTo(streamed + 2 * CHANNELS * 2);
            }
            assertThat(weights.reads("wide3.weight")).as("converted once, and by the reference").isEqualTo(1 + 4);
        }
    }

    @Test
    void networksThatDoNotFitTogetherTakeTurns() {
        int wide = 400;
        weights.add("up.weight", wide, CHANNELS).add("up.bias", wide).add("down.weight", CHANNELS, wide).add("down.bias", CHANNELS);
        weights.add("up2.weight", wide, CHANNELS).add("up2.bias", wide).add("down2.weight", CHANNELS, wide).add("down2.bias", CHANNELS);
        Graph one = chain(2, "up", "down");
        Graph two = chain(2, "up2", "down2");
        open(150 << 10);
        try (CompiledGraph first = executor.compile("one", one, f -> {});
                CompiledGraph second = executor.compile("two", two, f -> {})) {
            float[] x = ramp(2 * CHANNELS, 1);
            for (int i = 0; i < 2; i++) {
                assertClose(run(first, x), expected(one, x));
                assertClose(run(second, x), expected(two, x));
            }
            assertThat(executor.plan().residency()).isEqualTo(Residency.TAKING_TURNS);
        }
    }

    @Test
    void whatOverflows16BitsIsComputedAnewIn32AndStaysSo() {
        Graph graph = chain(2, "a", "b");
        open(0);
        try (CompiledGraph compiled = executor.compile("decoder", graph, f -> {})) {
            float[] x = ramp(2 * CHANNELS, 60000);
            float[] large = expected(graph, x);
            assertThat(run(compiled, x)).as("found in 32 bits").usingElementComparator((a, b) -> Math.abs(a - b) < 1e-3 ? 0 : 1).containsExactly(large);
            assertThat(notices).singleElement().asString().contains("decoder", "not-a-number", "32 bits");
            float[] usual = ramp(2 * CHANNELS, 1);
            assertClose(run(compiled, usual), expected(graph, usual));
            assertThat(notices).hasSize(1);
        }
    }

    @Test
    void lessMemoryThanThoughtLowersTheResidency() {
        open(0);
        Graph graph = chain(2, "a");
        try (CompiledGraph compiled = executor.compile("n", graph, f -> {})) {
            driver.record().fail(DriverCall.ALLOCATE, 1, "CUDA_ERROR_OUT_OF_MEMORY");
            float[] x = ramp(2 * CHANNELS, 1);
            assertClose(run(compiled, x), expected(graph, x));
            assertThat(executor.plan().residency()).isEqualTo(Residency.TAKING_TURNS);
            assertThat(notices).singleElement().asString().contains("CUDA_ERROR_OUT_OF_MEMORY", "--medvram");
        }
    }

    @Test
    void lessIsUsedWhenTheDriverHasTooLittleToLaunch() {
        open(0);
        Graph graph = chain(2, "a");
        try (CompiledGraph compiled = executor.compile("n", graph, f -> {})) {
            driver.record().fail(DriverCall.LAUNCH, 1, "CUDA_ERROR_OUT_OF_MEMORY");
            float[] x = ramp(2 * CHANNELS, 1);
            assertClose(run(compiled, x), expected(graph, x));
            assertThat(executor.plan().residency()).isEqualTo(Residency.TAKING_TURNS);
            assertThat(notices).singleElement().asString().startsWith("going on with less memory, as with --medvram");
        }
    }

    @Test
    void whatCannotFitIsToldInOneLine() {
        open(4 << 10);
        try (CompiledGraph compiled = executor.compile("n", chain(2, "a"), f -> {})) {
            assertThatThrownBy(() -> run(compiled, ramp(2 * CHANNELS, 1)))
                    .isInstanceOfSatisfying(KilnException.class, e -> assertThat(e.category()).isEqualTo(KilnException.Category.OUT_OF_MEMORY))
                    .hasMessageContaining("may be used: draw a smaller picture");
        }
    }

    @Test
    void aFaultOfTheCardIsToldWithItsSymbol() {
        open(0);
        try (CompiledGraph compiled = executor.compile("n", chain(2, "a"), f -> {})) {
            driver.record().fail(DriverCall.LAUNCH, 1, "CUDA_ERROR_LAUNCH_FAILED");
            assertThatThrownBy(() -> run(compiled, ramp(2 * CHANNELS, 1)))
                    .isInstanceOfSatisfying(KilnException.class, e -> assertThat(e.category()).isEqualTo(KilnException.Category.DEVICE))
                    .hasMessageContaining("CUDA_ERROR_LAUNCH_FAILED while");
        }
    }

    @Test
    void aRunStopsBeforeTheNextNodeAndTheNextRunIsWhole() {
        open(0);
        Graph graph = chain(2, "a", "b", "c");
        try (CompiledGraph compiled = executor.compile("n", graph, f -> {})) {
            float[] x = ramp(2 * CHANNELS, 1);
            int[] calls = new int[1];
            assertThatThrownBy(() -> compiled.run(Map.of("x", x), flops -> {
                        if (++calls[0] == 3) {
                            throw new CancellationException("enough");
                        }
                    }))
                    .isInstanceOf(CancellationException.class);
            assertClose(run(compiled, x), expected(graph, x));
        }
    }

    @Test
    void useAfterCloseAndWrongInputsAreNamed() {
        open(0);
        CompiledGraph compiled = executor.compile("n", chain(2, "a"), f -> {});
        assertThatThrownBy(() -> compiled.run(Map.of(), Progress.NONE)).hasMessageContaining("input x needs [1, 1, 2, 64], found nothing");
        assertThatThrownBy(() -> run(compiled, new float[3])).hasMessageContaining("found 3 values");
        compiled.close();
        compiled.close();
        assertThatThrownBy(() -> run(compiled, new float[2 * CHANNELS])).hasMessageContaining("the compiled graph is closed");
        executor.close();
        assertThatThrownBy(() -> executor.compile(chain(2, "a"))).hasMessageContaining("the CUDA executor is closed");
    }

    @Test
    void failuresWhileOpeningCloseTheContext() {
        for (DriverCall call : List.of(DriverCall.CREATE_STREAM, DriverCall.CREATE_EVENT)) {
            driver.record().fail(call, 1, "CUDA_ERROR_OUT_OF_MEMORY");
            assertThatThrownBy(() -> open(0)).as("%s", call).isInstanceOf(KilnException.class);
        }
    }

    @Test
    void equalRunsGiveEqualBits() {
        open(0);
        try (CompiledGraph compiled = executor.compile("n", chain(5, "a", "b"), f -> {})) {
            float[] x = ramp(5 * CHANNELS, 1);
            assertThat(Arrays.equals(run(compiled, x), run(compiled, x))).isTrue();
        }
    }
}
