package kiln.runtime.check;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import kiln.kernels.CudaDevices;
import kiln.kernels.CudaException;
import kiln.kernels.SystemLibrary;
import kiln.kernels.emulator.DriverCall;
import kiln.kernels.emulator.EmulatedCard;
import kiln.kernels.emulator.EmulatedDriver;
import kiln.runtime.base.DeviceOptions;
import kiln.runtime.base.LibraryChoice;
import kiln.runtime.base.Precision;
import kiln.runtime.engine.EngineOptions;
import kiln.runtime.exec.cuda.library.ProductTimes;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LibraryFindingTest {
    private final EmulatedDriver driver = new EmulatedDriver(EmulatedCard.ofBytes(1 << 20));
    private final CudaDevices.Device device = driver.devices().get(0);

    @TempDir
    Path cache;

    @BeforeEach
    void requireNoneOfThisMachine() {
        for (String name : List.of(SystemLibrary.CUBLAS, SystemLibrary.CUDNN)) {
            Assumptions.assumeTrue(SystemLibrary.load(name).path() == null, "this machine has " + name);
        }
    }

    private EngineOptions options(LibraryChoice choice) {
        DeviceOptions device = DeviceOptions.builder().gemm(choice).convolution(choice).build();
        return new EngineOptions(List.of(), List.of(), null, null, cache, "auto", Precision.AUTO, 0, device);
    }

    private List<LibraryFinding> look(LibraryChoice choice) {
        return LibraryFinding.look(options(choice), device, () -> driver.open(0));
    }

    private List<String> uses(LibraryChoice choice) {
        return look(choice).stream().map(LibraryFinding::use).toList();
    }

    private void wereMeasured(Map<String, ProductTimes.Times> products) throws IOException {
        new ProductTimes(products).write(ProductTimes.file(cache, device));
    }

    @Test
    void withoutACardNothingIsUsed() {
        assertThat(LibraryFinding.look(options(LibraryChoice.AUTO), null, cache))
                .containsExactly(
                        new LibraryFinding("libcublas.so.12", null, null, "not found", "matrix products: not on a card"),
                        new LibraryFinding("libcudnn.so.8", null, null, "not found", "convolutions: not on a card"));
    }

    @Test
    void missingOnesLeaveItToKilnsKernels() {
        assertThat(look(LibraryChoice.AUTO))
                .containsExactly(
                        new LibraryFinding("libcublas.so.12", null, null, "not found", "matrix products: Kiln's own kernels"),
                        new LibraryFinding("libcudnn.so.8", null, null, "not found", "convolutions: Kiln's own kernels"));
        assertThat(uses(LibraryChoice.NVIDIA))
                .containsExactly(
                        "matrix products: Kiln's own kernels, though cuBLAS was asked for",
                        "convolutions: Kiln's own kernels, though cuDNN was asked for");
    }

    @Test
    void thoseThatAreThereAreUsedWhenAskedForOrFaster() throws Exception {
        driver.withLibraries();
        assertThat(look(LibraryChoice.NVIDIA))
                .containsExactly(
                        new LibraryFinding("libcublas.so.12", null, "12.0.0", null, "matrix products: cuBLAS, as asked for"),
                        new LibraryFinding("libcudnn.so.8", null, "8.0.0", null, "convolutions: cuDNN, as asked for"));
        assertThat(uses(LibraryChoice.PTX))
                .containsExactly("matrix products: Kiln's own kernels, as asked for", "convolutions: Kiln's own kernels, as asked for");
        assertThat(uses(LibraryChoice.AUTO))
                .containsExactly(
                        "matrix products: Kiln's own kernels; kiln bench measures whether cuBLAS is faster",
                        "convolutions: Kiln's own kernels; kiln bench measures whether cuDNN is faster");
        wereMeasured(Map.of(
                "gemm f16 1x1x1, plain", new ProductTimes.Times(2, 1, "12.0.0"),
                "gemm f16 2x2x2, plain", new ProductTimes.Times(1, 2, "12.0.0"),
                "conv f16 1x1x1x1 to 1, 3x3 stride 1, plain", new ProductTimes.Times(2, 1, "8.9.7")));
        assertThat(uses(LibraryChoice.AUTO))
                .containsExactly(
                        "matrix products: cuBLAS for the 1 of 2 sizes where kiln bench found it faster",
                        "convolutions: Kiln's own kernels: of 1 sizes that kiln bench measured, none was faster with this cuDNN");
        assertThat(driver.record().leftovers()).isEmpty();
    }

    @Test
    void aCardThatDoesNotOpenIsTheirProblem() {
        driver.record().fail(DriverCall.OPEN, 1, "CUDA_ERROR_OUT_OF_MEMORY");
        assertThat(look(LibraryChoice.AUTO).get(0).problem()).isEqualTo("not found");
        assertThat(LibraryFinding.look(options(LibraryChoice.AUTO), device, () -> {
                    throw new CudaException("CUDA_ERROR_UNKNOWN", "opening device 0");
                }))
                .extracting(LibraryFinding::use)
                .containsExactly("matrix products: Kiln's own kernels", "convolutions: Kiln's own kernels");
    }
}
