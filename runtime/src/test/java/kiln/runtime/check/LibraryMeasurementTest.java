package kiln.runtime.check;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import kiln.kernels.emulator.DriverCall;
import kiln.kernels.emulator.EmulatedCard;
import kiln.kernels.emulator.EmulatedDriver;
import kiln.runtime.base.DeviceOptions;
import kiln.runtime.base.LibraryChoice;
import kiln.runtime.base.Precision;
import kiln.runtime.engine.EngineOptions;
import kiln.runtime.exec.MemoryWeights;
import kiln.runtime.exec.cuda.library.ProductTimes;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.GraphBuilder;
import kiln.runtime.graph.Shape;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LibraryMeasurementTest {
    private final MemoryWeights weights = new MemoryWeights(new Random(1))
            .add("first.weight", 32, 16)
            .add("first.bias", 32)
            .add("second.weight", 32, 16)
            .add("second.bias", 32)
            .add("conv.weight", 8, 32, 3, 3)
            .add("conv.bias", 8);
    private final EmulatedDriver driver = new EmulatedDriver(EmulatedCard.ofBytes(8 << 20));
    private final List<String> told = new ArrayList<>();

    @TempDir
    Path cache;

    private EngineOptions options(LibraryChoice gemm) {
        DeviceOptions device = DeviceOptions.builder().gemm(gemm).build();
        return new EngineOptions(List.of(), List.of(), null, null, cache, "cuda", Precision.AUTO, 0, device);
    }

    /** Two products of the same sizes and a convolution. */
    private Graph graph() {
        GraphBuilder g = new GraphBuilder(weights::shape, "");
        int x = g.input("x", new Shape(1, 3, 4, 16));
        int sum = g.add("sum", g.linear("first", x), g.linear("second", x));
        g.output("y", g.conv3x3("conv", sum));
        return g.build();
    }

    @Test
    void timesEachSizeOnceAndKeepsThat() throws Exception {
        driver.withLibraries();
        ProductTimes measured = LibraryMeasurement.measure(driver, options(LibraryChoice.AUTO), graph(), told::add);
        assertThat(measured.products().keySet())
                .containsExactlyInAnyOrder("gemm f16 12x32x16, bias", "gemm f16 12x32x16, bias+add", "conv f16 1x3x4x32 to 8, 3x3 stride 1, bias");
        assertThat(measured.products().values()).allSatisfy(times -> {
            assertThat(times.own()).isPositive();
            assertThat(times.library()).isPositive();
        });
        assertThat(told).containsExactly("products by cuBLAS 12.0.0 and cuDNN 8.0.0 and by Kiln's own kernels");
        assertThat(ProductTimes.read(ProductTimes.file(cache, driver.devices().get(0)))).isEqualTo(measured);
        assertThat(driver.record().leftovers()).isEmpty();
        assertThat(driver.record().liveAllocations()).isZero();
    }

    @Test
    void leavesOutWhatALibraryRefuses() throws Exception {
        driver.withLibraries();
        driver.record().fail(DriverCall.LAUNCH, 1, "CUBLAS_STATUS_NOT_SUPPORTED");
        ProductTimes measured = LibraryMeasurement.measure(driver, options(LibraryChoice.AUTO), graph(), told::add);
        assertThat(measured.cublasProducts()).isEqualTo(1);
        assertThat(measured.cudnnProducts()).isEqualTo(1);
    }

    @Test
    void leavesAloneWhatTheOptionsSettle() throws Exception {
        driver.withLibraries();
        ProductTimes measured = LibraryMeasurement.measure(driver, options(LibraryChoice.PTX), graph(), told::add);
        assertThat(measured.cublasProducts()).isZero();
        assertThat(measured.cudnnProducts()).isEqualTo(1);
    }

    @Test
    void measuresNothingWithoutLibraries() throws Exception {
        assertThat(LibraryMeasurement.measure(driver, options(LibraryChoice.AUTO), graph(), told::add)).isNull();
        assertThat(told).isEmpty();
        assertThat(driver.record().leftovers()).isEmpty();
    }
}
