package kiln.runtime.exec.cuda;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import kiln.kernels.DataType;
import kiln.kernels.emulator.EmulatedCard;
import kiln.kernels.emulator.EmulatedDriver;
import kiln.runtime.DeviceOptions;
import kiln.runtime.Engine;
import kiln.runtime.EngineOptions;
import kiln.runtime.GenerationEvent;
import kiln.runtime.GenerationRequest;
import kiln.runtime.Precision;
import kiln.runtime.plan.Residency;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CudaExecutorTest {
    @Test
    void x(@TempDir Path cache) throws Exception {
        for (Residency r : Residency.values()) {
            CudaSettings settings = new CudaSettings(DataType.F16, Set.of(), false, new MemoryBudget(0, 0, 0), r, 1L << 30);
            EmulatedDriver driver = new EmulatedDriver(EmulatedCard.ofBytes(7L << 20).withCapability(80).withLazyStreams(4));
            EngineOptions options = new EngineOptions(List.of(), List.of(), Path.of("demo/kiln-demo.safetensors"), null, cache, "cuda", Precision.AUTO, 0, DeviceOptions.DEFAULT);
            List<GenerationEvent> events = new ArrayList<>();
            long begin = System.nanoTime();
            try (Engine engine = new Engine(options, (o, w, n) -> new CudaExecutor(driver.open(0), w, settings, n))) {
                engine.submit(GenerationRequest.builder().prompt("flat red heart").width(64).height(64).steps(2).seed(1).build(), e -> { events.add(e); if (e instanceof GenerationEvent.Preview) System.out.println(engine.deviceUse() + " " + driver.record().bytesToDevice()); }).await();
                System.out.println(engine.deviceUse().memoryText());
            }
            System.out.println(events.stream().filter(e -> !(e instanceof GenerationEvent.Progress)).toList());
            System.out.println(driver.record().launches() + " " + driver.record().leftovers() + " peak " + driver.record().peakBytes());
            System.out.println((System.nanoTime() - begin) / 1e9);
        }
    }
}
