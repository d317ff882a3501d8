package kiln.kernels.probe;

import java.util.ArrayList;
import java.util.List;
import kiln.kernels.CudaContext;
import kiln.kernels.CudaException;

/** Runs probes on a device. One thread at a time. The creator closes it before the context, which stays the creator's. */
public final class ProbeReplay implements AutoCloseable {
    /** What is in memory that the probe does not write. */
    private static final byte UNWRITTEN = 0x5a;

    private final CudaContext context;
    private final CudaContext.Stream stream;
    private final List<CudaContext.LoadedKernel> loaded = new ArrayList<>();

    public ProbeReplay(CudaContext context) {
        this.context = context;
        stream = context.createStream();
    }

    /** The device's compute capability, times ten. */
    public int capability() {
        return context.device().capabilityTimesTen();
    }

    /** Whether the device has the instruction. */
    public boolean canRun(Probe probe) {
        return probe.target().runsOn(capability());
    }

    /**
     * The results of all rows of operands, for {@link Probe#judge}.
     *
     * @throws CudaException when the device cannot; after a fault of a kernel the whole context is of no use any more
     */
    public int[] results(Probe probe) {
        byte[] operands = probe.operandBytes();
        long resultBytes = (long) Integer.BYTES * probe.resultCount();
        List<Long> allocated = new ArrayList<>();
        List<CudaContext.PinnedMemory> pinned = new ArrayList<>();
        try {
            pinned.add(context.allocatePinned(operands.length, "operands"));
            pinned.add(context.allocatePinned(resultBytes, "results"));
            allocated.add(context.allocate(operands.length, "operands"));
            allocated.add(context.allocate(resultBytes, "results"));
            CudaContext.LoadedKernel kernel = context.load(probe);
            loaded.add(kernel);
            pinned.get(0).bytes().put(0, operands);
            context.copyToDevice(pinned.get(0), 0, allocated.get(0), operands.length, stream);
            context.fill(allocated.get(1), UNWRITTEN, resultBytes, stream);
            context.launch(kernel, probe.call(allocated.get(0), allocated.get(1)), stream);
            context.copyToHost(allocated.get(1), pinned.get(1), 0, resultBytes, stream);
            context.synchronize(stream);
            int[] results = new int[probe.resultCount()];
            pinned.get(1).bytes().asIntBuffer().get(0, results);
            return results;
        } finally {
            allocated.forEach(context::free);
            pinned.forEach(context::free);
        }
    }

    @Override
    public void close() {
        loaded.forEach(context::unload);
        loaded.clear();
        context.destroy(stream);
    }
}
