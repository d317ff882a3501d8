package kiln.runtime.exec.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.UnaryOperator;
import kiln.kernels.CudaContext;
import kiln.kernels.DataType;
import kiln.kernels.emulator.DriverCall;
import kiln.kernels.emulator.EmulatedCard;
import kiln.kernels.emulator.EmulatedDriver;
import kiln.kernels.emulator.EmulatorChecks;
import kiln.runtime.base.LibraryChoice;
import kiln.runtime.exec.CompiledGraph;
import kiln.runtime.exec.CompiledGraph.Progress;
import kiln.runtime.exec.Executor;
import kiln.runtime.exec.LoneExecutor;
import kiln.runtime.exec.MemoryWeights;
import kiln.runtime.exec.NetworkGolden;
import kiln.runtime.exec.NetworkGolden.Deviation;
import kiln.runtime.exec.cuda.library.DeviceLibraries;
import kiln.runtime.exec.cuda.library.ProductTimes;
import kiln.runtime.exec.cuda.residence.MemoryBudget;
import kiln.runtime.exec.reference.ReferenceExecutor;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.GraphBuilder;
import kiln.runtime.graph.Shape;
import kiln.runtime.plan.Residency;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Products through cuBLAS and cuDNN, as an emulated card has them. */
class DeviceLibrariesTest {
    private static final String KEY = "gemm f16 12x32x16, bias";
    private static final ProductTimes CUBLAS_WINS = new ProductTimes(Map.of(KEY, new ProductTimes.Times(20, 10, "12.0.0")));
    /** Results and weights are rounded to 11 bits, and sums once more than by Kiln's own kernels. */
    private static final double F16_LARGEST = 2e-2;

    private static final double F16_MEAN = 3e-3;

    private final MemoryWeights weights = new MemoryWeights(new Random(1))
            .add("linear.weight", 32, 16)
            .add("linear.bias", 32)
            .add("conv.weight", 8, 32, 3, 3)
            .add("conv.bias", 8);
    private final EmulatedDriver driver = new EmulatedDriver(EmulatedCard.ofBytes(8 << 20).withLazyStreams(3));
    private final List<String> notices = new ArrayList<>();

    private Executor open(LibraryChoice gemm, LibraryChoice convolution, ProductTimes times) {
        CudaContext context = driver.open(0);
        DeviceLibraries libraries = DeviceLibraries.open(context, gemm, convolution, times, notices::add);
        return LoneExecutor.open(new CudaDevice(context, libraries, opened -> CudaSettings.USUAL), weights, notices::add);
    }

    private Graph graph() {
        GraphBuilder g = new GraphBuilder(weights::shape, "");
        int x = g.input("x", new Shape(1, 3, 4, 16));
        g.output("y", g.conv3x3("conv", g.linear("linear", x)));
        return g.build();
    }

    /** Runs the graph and compares with plain Java. */
    private void runsRightly(Executor executor) {
        float[] x = new float[3 * 4 * 16];
        Random random = new Random(2);
        for (int i = 0; i < x.length; i++) {
            x[i] = (float) random.nextGaussian();
        }
        Graph graph = graph();
        float[] expected;
        try (ReferenceExecutor reference = new ReferenceExecutor(weights);
                CompiledGraph compiled = reference.compile(graph)) {
            expected = compiled.run(Map.of("x", x), Progress.NONE).get("y");
        }
        try (CompiledGraph compiled = executor.compile(graph)) {
            float[] first = compiled.run(Map.of("x", x), Progress.NONE).get("y");
            assertThat(Deviation.of("y", first, expected).largest()).isLessThan(F16_LARGEST);
            // The second run is a CUDA graph's.
            assertThat(compiled.run(Map.of("x", x), Progress.NONE).get("y")).isEqualTo(first);
        } finally {
            executor.close();
        }
        assertThat(driver.record().leftovers()).isEmpty();
        assertThat(driver.record().liveAllocations()).isZero();
    }

    @Test
    void areUsedForEverythingThatTheyCanWhenAskedFor() {
        runsRightly(open(LibraryChoice.NVIDIA, LibraryChoice.NVIDIA, ProductTimes.NONE));
        assertThat(notices).containsExactly("cuBLAS was asked for, but libcublas.so.12 was not found: Kiln's own kernels are used",
                "cuDNN was asked for, but libcudnn.so.8 was not found: Kiln's own kernels are used");
        assertThat(driver.record().launches()).doesNotContainKeys("cublas", "cudnn");
        notices.clear();
        driver.withLibraries();
        runsRightly(open(LibraryChoice.NVIDIA, LibraryChoice.NVIDIA, ProductTimes.NONE));
        assertThat(notices).isEmpty();
        assertThat(driver.record().launches()).containsEntry("cublas", 2).containsEntry("cudnn", 2).containsEntry("epilogue", 4);
    }

    @Test
    void areNotLoadedWhenNothingWasMeasured() {
        driver.withLibraries();
        runsRightly(open(LibraryChoice.AUTO, LibraryChoice.AUTO, ProductTimes.NONE));
        assertThat(driver.record().launches()).doesNotContainKeys("cublas", "cudnn");
    }

    @Test
    void areUsedWhereTheyWereFaster() {
        driver.withLibraries();
        runsRightly(open(LibraryChoice.AUTO, LibraryChoice.AUTO, CUBLAS_WINS));
        assertThat(driver.record().launches()).containsEntry("cublas", 2).doesNotContainKey("cudnn");
    }

    @Test
    void areNotUsedWhereAnotherVersionWasFaster() {
        driver.withLibraries();
        runsRightly(open(LibraryChoice.AUTO, LibraryChoice.PTX, new ProductTimes(Map.of(KEY, new ProductTimes.Times(20, 10, "11.8.0")))));
        assertThat(driver.record().launches()).doesNotContainKey("cublas");
    }

    @Test
    void thatWereFasterAndAreGoneAreToldOf() {
        runsRightly(open(LibraryChoice.AUTO, LibraryChoice.AUTO, CUBLAS_WINS));
        assertThat(notices)
                .containsExactly("cuBLAS was faster when it was measured, but libcublas.so.12 was not found: Kiln's own kernels are used");
    }

    @Test
    void thatFailAreDoneWithout() {
        driver.withLibraries();
        Executor executor = open(LibraryChoice.NVIDIA, LibraryChoice.NVIDIA, ProductTimes.NONE);
        // The convolution, behind the product and its epilogue.
        driver.record().fail(DriverCall.LAUNCH, 3, "CUDNN_STATUS_EXECUTION_FAILED");
        runsRightly(executor);
        assertThat(notices).singleElement().asString().startsWith("CUDNN_STATUS_EXECUTION_FAILED while ").endsWith(
                ": Kiln's own kernels are used from here on");
        assertThat(driver.record().launches()).containsEntry("cublas", 3).containsEntry("convolution", 2).doesNotContainKey("cudnn");
    }

    @Test
    void timesComeBackFromTheirFileAndABrokenFileHoldsNone(@TempDir Path folder) throws Exception {
        Path file = ProductTimes.file(folder, driver.devices().get(0));
        assertThat(ProductTimes.read(file)).isEqualTo(ProductTimes.NONE);
        CUBLAS_WINS.write(file);
        assertThat(ProductTimes.read(file)).isEqualTo(CUBLAS_WINS);
        Files.writeString(file, "{\"products\": {\"gemm\": {\"own\": 1}}}");
        assertThat(ProductTimes.read(file)).isEqualTo(ProductTimes.NONE);
        Files.writeString(file, "{");
        assertThat(ProductTimes.read(file)).isEqualTo(ProductTimes.NONE);
    }

    @Test
    void networksEqualPyTorchIn16Bits() {
        networks(NetworkGolden.demo(), DataType.F16, F16_LARGEST, F16_MEAN);
    }

    @Test
    void networksEqualPyTorchIn32Bits() {
        networks(NetworkGolden.odd(), DataType.F32, NetworkGolden.F32, NetworkGolden.F32);
    }

    private static void networks(NetworkGolden golden, DataType type, double largest, double mean) {
        EmulatorChecks checks = EmulatorChecks.NONE.withUninitialisedReads(true);
        EmulatedDriver driver =
                new EmulatedDriver(EmulatedCard.ofBytes(256 << 20).withCapability(80).withChecks(checks).withLazyStreams(1)).withLibraries();
        CudaSettings settings = new CudaSettings(type, Set.of(), false, new MemoryBudget(0, 0, 0), Residency.RESIDENT, 1L << 30);
        List<Deviation> deviations = golden.compare(
                source -> {
                    CudaContext context = driver.open(0);
                    DeviceLibraries libraries = DeviceLibraries.open(
                            context, LibraryChoice.NVIDIA, LibraryChoice.NVIDIA, ProductTimes.NONE, notice -> {});
                    return LoneExecutor.open(new CudaDevice(context, libraries, opened -> settings), source, notice -> {});
                },
                UnaryOperator.identity());
        for (Deviation deviation : deviations) {
            assertThat(deviation.largest()).as("largest, %s", deviation).isLessThanOrEqualTo(largest);
            assertThat(deviation.mean()).as("mean, %s", deviation).isLessThanOrEqualTo(mean);
        }
        assertThat(driver.record().launches()).containsKeys("cublas", "cudnn").doesNotContainKey("gemm");
        assertThat(driver.record().leftovers()).isEmpty();
    }
}
