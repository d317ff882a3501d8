package kiln.kernels.emulator;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import kiln.kernels.DataType;
import kiln.kernels.Kernel;
import kiln.kernels.KernelCall;

/** An emulated card's memory, and launches on it. One thread. */
public final class EmulatedCalls {
    private static final long MEMORY_BYTES = 16 << 20;

    private final DeviceMemory memory = new DeviceMemory(MEMORY_BYTES);
    private final PtxEmulator emulator = new PtxEmulator(memory);
    private final Map<Kernel, PtxModule> modules = new HashMap<>();

    public long allocate(long bytes) {
        return memory.allocate(Math.max(1, bytes));
    }

    public long write(DataType type, float[] values) {
        byte[] bytes = type.encode(values);
        long address = memory.allocate(bytes.length);
        memory.write(address, bytes);
        return address;
    }

    public float[] read(DataType type, long address, int count) {
        return type.decode(memory.readBytes(address, count * type.bytes()));
    }

    public void launch(List<KernelCall> calls) {
        for (KernelCall call : calls) {
            Kernel kernel = call.kernel();
            PtxModule module = modules.computeIfAbsent(kernel, each -> PtxModule.parse(each.ptx()));
            Dim3 grid = new Dim3(call.gridX(), call.gridY(), call.gridZ());
            emulator.launch(
                    module, kernel.name(), grid, Dim3.of(kernel.threads()), kernel.dynamicSharedBytes(), call.arguments().toArray());
        }
    }
}
