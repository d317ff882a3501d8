package kiln.runtime.upscale;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import kiln.kernels.DataType;
import kiln.kernels.emulator.EmulatedCard;
import kiln.kernels.emulator.EmulatedDriver;
import kiln.runtime.exec.LoneExecutor;
import kiln.runtime.exec.NetworkGolden;
import kiln.runtime.exec.cuda.CudaDevice;
import kiln.runtime.exec.cuda.CudaSettings;
import kiln.runtime.exec.cuda.library.DeviceLibraries;
import kiln.runtime.exec.cuda.residence.MemoryBudget;
import kiln.runtime.image.Picture;
import kiln.runtime.job.Tiling;
import kiln.runtime.plan.Residency;
import kiln.weights.WeightsFile;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Miniature upscalers through the kernels' PTX, on an emulated card, against PyTorch's pictures. */
class CudaUpscalerTest {
    /** In 32 bits a value may be rounded to the other side; 16 bits lose 2⁻¹¹ a layer. */
    @ParameterizedTest
    @CsvSource({"x4.pth, x4, F32, 50, 1", "x2.safetensors, x2, F16, 80, 3", "compact.pth, compact, F16, 75, 3"})
    void picturesAreTorchs(String weights, String name, DataType type, int capability, int allowed) {
        EmulatedDriver driver = new EmulatedDriver(EmulatedCard.ofBytes(64 << 20).withCapability(capability).withLazyStreams(1));
        CudaSettings settings = new CudaSettings(type, Set.of(), false, new MemoryBudget(0, 0, 0), Residency.RESIDENT, 1L << 30);
        try (WeightsFile golden = WeightsFile.open(NetworkGolden.resource("/upscalers/golden.safetensors"));
                Upscaler upscaler = new Upscaler(
                        UpscalerFile.open(NetworkGolden.resource("/upscalers/" + weights)),
                        source -> LoneExecutor.open(
                                new CudaDevice(driver.open(0), DeviceLibraries.none(), context -> settings), source, notice -> {}))) {
            Picture expected = UpscalerTest.picture(golden, name + ".out");
            Picture found = upscaler.upscale(UpscalerTest.picture(golden, name + ".in"), Tiling.WHOLE, fraction -> {});
            int largest = 0;
            for (int i = 0; i < expected.rgb().length; i++) {
                largest = Math.max(largest, Math.abs((found.rgb()[i] & 255) - (expected.rgb()[i] & 255)));
            }
            assertThat(largest).isLessThanOrEqualTo(allowed);
        }
        assertThat(driver.record().leftovers()).isEmpty();
    }
}
