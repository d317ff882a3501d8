package kiln.kernels.op;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import kiln.kernels.CudaContext;
import kiln.kernels.CudaDevices;
import kiln.kernels.CudaDriver;
import kiln.kernels.Kernel;
import kiln.kernels.KernelCall;
import kiln.kernels.cases.KernelCase;
import kiln.kernels.cases.KernelCases;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The same cases on a card. */
@Tag("gpu")
class DeviceKernelsTest {
    private static final Map<Kernel, CudaContext.LoadedKernel> LOADED = new HashMap<>();

    @TempDir
    private static Path folder;

    private static CudaContext context;
    private static CudaContext.Stream stream;

    static Stream<KernelCase> cases() {
        return KernelCases.all().stream();
    }

    @BeforeAll
    static void open() throws Exception {
        CudaDevices found = CudaDevices.probe(folder.resolve("natives"));
        Assumptions.assumeFalse(found.devices().isEmpty(), found.reason());
        context = CudaDriver.load(folder.resolve("natives")).open(0);
        stream = context.createStream();
    }

    @AfterAll
    static void close() {
        if (context != null) {
            LOADED.values().forEach(context::unload);
            context.destroy(stream);
            context.close();
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void equalsItsReference(KernelCase kernelCase) {
        int capability = context.device().major() * 10 + context.device().minor();
        for (KernelCall call : kernelCase.calls()) {
            Assumptions.assumeTrue(call.kernel().target() <= capability, () -> "sm_" + call.kernel().target() + " on sm_" + capability);
        }
        List<KernelCase.Buffer> buffers = kernelCase.buffers();
        long[] addresses = new long[buffers.size()];
        List<CudaContext.PinnedMemory> pinned = new ArrayList<>();
        for (int i = 0; i < addresses.length; i++) {
            KernelCase.Buffer buffer = buffers.get(i);
            long bytes = (long) buffer.elements() * buffer.type().bytes();
            addresses[i] = context.allocate(bytes, buffer.name());
            pinned.add(context.allocatePinned(bytes, buffer.name()));
            if (buffer.values() != null) {
                pinned.get(i).bytes().put(0, buffer.type().encode(buffer.values()));
                context.copyToDevice(pinned.get(i), 0, addresses[i], bytes, stream);
            } else {
                // NaN in both types: a result that was not written shows.
                context.fill(addresses[i], (byte) -1, bytes, stream);
            }
        }
        for (KernelCall call : kernelCase.calls()) {
            CudaContext.LoadedKernel loaded = LOADED.computeIfAbsent(call.kernel(), context::load);
            List<Object> arguments = CaseResults.bind(call, addresses);
            context.launch(loaded, new KernelCall(call.kernel(), call.gridX(), call.gridY(), call.gridZ(), arguments), stream);
        }
        for (int i = 0; i < addresses.length; i++) {
            context.copyToHost(addresses[i], pinned.get(i), 0, pinned.get(i).bytes().capacity(), stream);
        }
        context.synchronize(stream);
        for (int i = 0; i < addresses.length; i++) {
            KernelCase.Buffer buffer = buffers.get(i);
            if (buffer.expected() != null) {
                byte[] bytes = new byte[pinned.get(i).bytes().capacity()];
                pinned.get(i).bytes().get(0, bytes);
                CaseResults.assertAccepted(kernelCase, buffer, bytes);
            }
            context.free(addresses[i]);
            context.free(pinned.get(i));
        }
    }
}
