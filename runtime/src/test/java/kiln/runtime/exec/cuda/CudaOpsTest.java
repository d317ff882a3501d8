package kiln.runtime.exec.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import kiln.kernels.DataType;
import kiln.kernels.emulator.EmulatedCard;
import kiln.kernels.emulator.EmulatedDriver;
import kiln.runtime.base.Selection;
import kiln.runtime.check.SelfTest;
import kiln.runtime.exec.Executor;
import kiln.runtime.exec.LoneExecutor;
import kiln.runtime.exec.WeightSource;
import kiln.runtime.exec.cuda.library.DeviceLibraries;
import kiln.runtime.exec.cuda.residence.MemoryBudget;
import kiln.runtime.plan.Residency;
import org.junit.jupiter.api.Test;

/** Every op through the whole executor on an emulated card: what {@code kiln selftest} does on a real one. */
class CudaOpsTest {
    private static final CudaSettings SETTINGS =
            new CudaSettings(DataType.F16, Set.of(), false, new MemoryBudget(32 << 20, 0, 0), Residency.RESIDENT, 1 << 28);

    @Test
    void everyOpEqualsPlainJava() {
        SelfTest.run(CudaOpsTest::emulated, Selection.ALL, result -> assertThat(result.ok()).as("%s", result).isTrue());
    }

    private static Executor emulated(WeightSource weights) {
        EmulatedDriver driver = new EmulatedDriver(EmulatedCard.ofBytes(64 << 20).withLazyStreams(3));
        CudaDevice device = new CudaDevice(driver.open(0), DeviceLibraries.none(), context -> SETTINGS);
        return LoneExecutor.open(device, weights, notice -> {});
    }
}
