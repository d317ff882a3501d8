package kiln.runtime.exec.cuda;

import java.util.Set;
import java.util.function.UnaryOperator;
import kiln.kernels.DataType;
import kiln.kernels.emulator.EmulatedCard;
import kiln.kernels.emulator.EmulatedDriver;
import kiln.runtime.exec.NetworkGolden;
import kiln.runtime.plan.Residency;
import org.junit.jupiter.api.Test;

class CudaExecutorTest {
    @Test
    void networksEqualPyTorchInF32() {
        CudaSettings settings = new CudaSettings(DataType.F16, Set.of(), false, new MemoryBudget(0, 0, 0), Residency.STREAMED, 1L << 30);
        for (NetworkGolden golden : NetworkGolden.all()) {
            long begin = System.nanoTime();
            EmulatedDriver driver = new EmulatedDriver(EmulatedCard.ofBytes(7L << 20).withContextBytes(0).withCapability(80).withLazyStreams(4));
            for (NetworkGolden.Deviation d : golden.compare(
                    source -> new CudaExecutor(driver.open(0), source, settings, System.out::println),
                    UnaryOperator.identity())) {
                System.out.println(d);
            }
            System.out.println(driver.record());
            System.out.println((System.nanoTime() - begin) / 1e9);
        }
    }
}
