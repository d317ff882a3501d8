package kiln.kernels.cases;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import kiln.kernels.Kernel;
import kiln.kernels.KernelCall;
import kiln.kernels.emulator.DeviceMemory;
import kiln.kernels.emulator.Dim3;
import kiln.kernels.emulator.PtxEmulator;
import kiln.kernels.emulator.PtxModule;

/** Runs cases in the emulator with all its checks. Any thread. */
public final class EmulatedCases {
    private static final long MEMORY_BYTES = 64 << 20;

    private final Map<Kernel, PtxModule> modules = new ConcurrentHashMap<>();

    /** @throws AssertionError where a result is further from its reference than the case allows */
    public void assertEqualsReference(KernelCase kernelCase) {
        DeviceMemory memory = new DeviceMemory(MEMORY_BYTES);
        List<KernelCase.Buffer> buffers = kernelCase.buffers();
        long[] addresses = new long[buffers.size()];
        for (int i = 0; i < addresses.length; i++) {
            KernelCase.Buffer buffer = buffers.get(i);
            addresses[i] = memory.allocate((long) buffer.elements() * buffer.type().bytes());
            if (buffer.values() != null) {
                memory.write(addresses[i], buffer.type().encode(buffer.values()));
            }
        }
        PtxEmulator emulator = new PtxEmulator(memory);
        for (KernelCall call : kernelCase.calls()) {
            Kernel kernel = call.kernel();
            PtxModule module = modules.computeIfAbsent(kernel, each -> PtxModule.parse(each.ptx()));
            Dim3 grid = new Dim3(call.gridX(), call.gridY(), call.gridZ());
            emulator.launch(module, kernel.name(), grid, Dim3.of(kernel.threads()), kernel.dynamicSharedBytes(),
                    KernelCase.bind(call, addresses).arguments().toArray());
        }
        for (int i = 0; i < addresses.length; i++) {
            KernelCase.Buffer buffer = buffers.get(i);
            if (buffer.expected() != null) {
                CaseResults.assertAccepted(kernelCase, buffer, memory.readBytes(addresses[i], buffer.elements() * buffer.type().bytes()));
            }
        }
    }
}
