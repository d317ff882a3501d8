package kiln.kernels.cases;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import kiln.kernels.CudaContext;
import kiln.kernels.CudaException;
import kiln.kernels.Kernel;
import kiln.kernels.KernelCall;

/**
 * Replays cases on a device: allocates, copies, launches, copies back and compares. One thread at a time. The creator closes it before the
 * context, which stays the creator's.
 */
public final class CaseReplay implements AutoCloseable {
    /**
     * What came of a case: the element that is furthest from what it should be, in terms of how far it may be.
     *
     * @param buffer that holds the element
     * @param error |actual − expected|; NaN where either is
     */
    public record Outcome(String buffer, int element, float expected, float actual, double error, double allowed) {
        /** Whether this element, and with it every other, is near enough. */
        public boolean ok() {
            return error <= allowed;
        }

        private double severity() {
            return Double.isNaN(error) ? Double.POSITIVE_INFINITY : error / Math.max(allowed, Double.MIN_NORMAL);
        }

        @Override
        public String toString() {
            return buffer + "[" + element + "] is " + actual + ", expected " + expected;
        }
    }

    /** Of all bits one is not a number in every type of floats: a result that was not written shows. */
    private static final byte UNWRITTEN = -1;

    private final CudaContext context;
    private final CudaContext.Stream stream;
    private final Map<Kernel, CudaContext.LoadedKernel> loaded = new HashMap<>();

    public CaseReplay(CudaContext context) {
        this.context = context;
        stream = context.createStream();
    }

    /** Whether the device has what the case's kernels need. */
    public boolean canRun(KernelCase kernelCase) {
        return kernelCase.runsOn(context.device().capabilityTimesTen());
    }

    /** @throws CudaException when the device cannot; after a fault of a kernel the whole context is of no use any more */
    public Outcome replay(KernelCase kernelCase) {
        List<KernelCase.Buffer> buffers = kernelCase.buffers();
        List<Long> allocated = new ArrayList<>();
        List<CudaContext.PinnedMemory> pinned = new ArrayList<>();
        try {
            for (KernelCase.Buffer buffer : buffers) {
                long bytes = bytes(buffer);
                allocated.add(context.allocate(bytes, buffer.name()));
                pinned.add(context.allocatePinned(bytes, buffer.name()));
                prepare(buffer, pinned.get(pinned.size() - 1), allocated.get(allocated.size() - 1));
            }
            long[] addresses = allocated.stream().mapToLong(Long::longValue).toArray();
            for (KernelCall call : kernelCase.calls()) {
                context.launch(load(call.kernel()), KernelCase.bind(call, addresses), stream);
            }
            for (int i = 0; i < addresses.length; i++) {
                context.copyToHost(addresses[i], pinned.get(i), 0, bytes(buffers.get(i)), stream);
            }
            context.synchronize(stream);
            return worst(kernelCase, pinned);
        } finally {
            allocated.forEach(context::free);
            pinned.forEach(context::free);
        }
    }

    private static long bytes(KernelCase.Buffer buffer) {
        return (long) buffer.elements() * buffer.type().bytes();
    }

    private void prepare(KernelCase.Buffer buffer, CudaContext.PinnedMemory pinned, long address) {
        if (buffer.values() == null) {
            context.fill(address, UNWRITTEN, bytes(buffer), stream);
        } else {
            pinned.bytes().put(0, buffer.type().encode(buffer.values()));
            context.copyToDevice(pinned, 0, address, bytes(buffer), stream);
        }
    }

    private CudaContext.LoadedKernel load(Kernel kernel) {
        return loaded.computeIfAbsent(kernel, context::load);
    }

    private static Outcome worst(KernelCase kernelCase, List<CudaContext.PinnedMemory> pinned) {
        Outcome worst = null;
        for (int i = 0; i < pinned.size(); i++) {
            KernelCase.Buffer buffer = kernelCase.buffers().get(i);
            if (buffer.expected() == null) {
                continue;
            }
            byte[] bytes = new byte[Math.toIntExact(bytes(buffer))];
            pinned.get(i).bytes().get(0, bytes);
            float[] actual = buffer.type().decode(bytes);
            for (int element = 0; element < actual.length; element++) {
                float expected = buffer.expected()[element];
                double error = Math.abs((double) actual[element] - expected);
                Outcome found = new Outcome(buffer.name(), element, expected, actual[element], error, kernelCase.allowed(expected));
                if (worst == null || found.severity() > worst.severity()) {
                    worst = found;
                }
            }
        }
        if (worst == null) {
            throw new IllegalArgumentException(kernelCase + " expects nothing");
        }
        return worst;
    }

    @Override
    public void close() {
        loaded.values().forEach(context::unload);
        loaded.clear();
        context.destroy(stream);
    }
}
