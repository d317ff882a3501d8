package kiln.runtime.exec.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;
import kiln.kernels.DataType;
import kiln.kernels.emulator.EmulatedCard;
import kiln.kernels.emulator.EmulatedDriver;
import kiln.kernels.emulator.EmulatorChecks;
import kiln.runtime.exec.LoneExecutor;
import kiln.runtime.exec.NetworkGolden;
import kiln.runtime.exec.NetworkGolden.Deviation;
import kiln.runtime.exec.cuda.library.DeviceLibraries;
import kiln.runtime.exec.cuda.program.AttentionChoice;
import kiln.runtime.exec.cuda.residence.MemoryBudget;
import kiln.runtime.plan.Residency;
import org.junit.jupiter.api.Test;

/** Whole networks through the kernels' PTX, on an emulated card, against PyTorch. */
class CudaNetworksTest {
    /**
     * Weights and results are rounded to 11 bits (2⁻¹¹ = 5e-4 a rounding) at every layer; sums are 32-bit. Up to 1.4e-3 on average was seen,
     * and a single value off by 9e-3 of the largest, in the demo's decoder; with the random weights of the inpainting network, of which no
     * training has made anything smooth, 3.0e-3 on average.
     */
    private static final double F16_MEAN = 4e-3;

    private static final double F16_LARGEST = 2e-2;

    /** 8-bit weights: half of 1/127 of a row's largest weight a weight, 4e-3, of which much cancels in sums. */
    private static final double INT8_MEAN = 5e-2;

    @Test
    void equalPyTorchIn32Bits() {
        run(NetworkGolden.odd(), 50, settings(DataType.F32, false), NetworkGolden.F32, NetworkGolden.F32);
    }

    @Test
    void equalPyTorchIn16BitsWithTensorCores() {
        run(NetworkGolden.demo(), 80, settings(DataType.F16, false), F16_LARGEST, F16_MEAN);
    }

    @Test
    void equalPyTorchIn16BitsOnTheFirstTensorCores() {
        run(NetworkGolden.inpaint(), 75, settings(DataType.F16, false), F16_LARGEST, F16_MEAN);
    }

    @Test
    void areCloseToPyTorchWith8BitWeights() {
        run(NetworkGolden.demo(), 80, settings(DataType.F16, true), Double.POSITIVE_INFINITY, INT8_MEAN);
    }

    /** What {@code --upcast-sampling} asks for, and what runs after an overflow: weights are rounded to 11 bits, nothing else is. */
    @Test
    void areCloserToPyTorchWith16BitWeightsAnd32BitResults() {
        CudaSettings settings = new CudaSettings(
                DataType.F16,
                Set.of(),
                Set.of("network"),
                false,
                AttentionChoice.USUAL,
                new MemoryBudget(0, 0, 0),
                Residency.RESIDENT,
                1L << 30);
        run(NetworkGolden.odd(), 61, settings, 2e-3, 1e-3);
    }

    private static CudaSettings settings(DataType type, boolean int8) {
        return new CudaSettings(type, Set.of(), int8, new MemoryBudget(0, 0, 0), Residency.RESIDENT, 1L << 30);
    }

    private static void run(NetworkGolden golden, int capability, CudaSettings settings, double largest, double mean) {
        // Kernels are watched one by one in their own tests; here only for reads of what nothing wrote, which a wrong place would show as.
        EmulatorChecks checks = EmulatorChecks.NONE.withUninitialisedReads(true);
        EmulatedDriver driver =
                new EmulatedDriver(EmulatedCard.ofBytes(256 << 20).withCapability(capability).withChecks(checks).withLazyStreams(1));
        List<Deviation> deviations = golden.compare(
                source -> LoneExecutor.open(
                        new CudaDevice(driver.open(0), DeviceLibraries.none(), context -> settings), source, notice -> {}),
                UnaryOperator.identity());
        for (Deviation deviation : deviations) {
            assertThat(deviation.largest()).as("largest, %s", deviation).isLessThanOrEqualTo(largest);
            assertThat(deviation.mean()).as("mean, %s", deviation).isLessThanOrEqualTo(mean);
        }
        assertThat(driver.record().leftovers()).isEmpty();
    }
}
