package kiln.kernels.emulator;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import kiln.kernels.CudaException;

/** What was asked of an emulated driver, over all its contexts, and which calls it is to refuse. Any thread. */
public final class DriverRecord {
    private record Failure(long call, String symbol) {}

    private final Map<DriverCall, Long> calls = new EnumMap<>(DriverCall.class);
    private final Map<DriverCall, List<Failure>> failures = new EnumMap<>(DriverCall.class);
    private final Map<String, Integer> launches = new HashMap<>();
    private final List<String> leftovers = new ArrayList<>();
    private long liveBytes;
    private long peakBytes;
    private int liveAllocations;
    private long pinnedBytes;
    private long peakPinnedBytes;
    private int livePinned;
    private int loadedModules;
    private long bytesToDevice;
    private long bytesToHost;

    DriverRecord() {}

    /**
     * Has one call fail, once.
     *
     * @param nth 1 for the next call of that kind
     * @param symbol {@code CUDA_ERROR_OUT_OF_MEMORY}
     */
    public synchronized void fail(DriverCall kind, int nth, String symbol) {
        failures.computeIfAbsent(kind, each -> new ArrayList<>()).add(new Failure(calls(kind) + nth, symbol));
    }

    /** Calls of that kind so far, refused ones among them. */
    public synchronized long calls(DriverCall kind) {
        return calls.getOrDefault(kind, 0L);
    }

    /** Launches by the kernels' names. */
    public synchronized Map<String, Integer> launches() {
        return Map.copyOf(launches);
    }

    public synchronized int liveAllocations() {
        return liveAllocations;
    }

    /** Of device memory. */
    public synchronized long liveBytes() {
        return liveBytes;
    }

    /** The most device memory that was allocated at one time since the start or {@link #resetPeaks}. */
    public synchronized long peakBytes() {
        return peakBytes;
    }

    public synchronized int livePinned() {
        return livePinned;
    }

    public synchronized long pinnedBytes() {
        return pinnedBytes;
    }

    public synchronized long peakPinnedBytes() {
        return peakPinnedBytes;
    }

    public synchronized void resetPeaks() {
        peakBytes = liveBytes;
        peakPinnedBytes = pinnedBytes;
    }

    public synchronized int loadedModules() {
        return loadedModules;
    }

    /** Copied since the start; so for {@link #bytesToHost}. */
    public synchronized long bytesToDevice() {
        return bytesToDevice;
    }

    public synchronized long bytesToHost() {
        return bytesToHost;
    }

    /** What contexts still held when they were closed, a line each. */
    public synchronized List<String> leftovers() {
        return List.copyOf(leftovers);
    }

    // For the context.

    synchronized void called(DriverCall kind, String doing) {
        String symbol = refusal(kind);
        if (symbol != null) {
            throw new CudaException(symbol, doing);
        }
    }

    /** Counts a call; the error that it is to end in, or null. */
    synchronized String refusal(DriverCall kind) {
        long number = calls.merge(kind, 1L, Long::sum);
        List<Failure> wanted = failures.get(kind);
        if (wanted != null) {
            for (Failure failure : wanted) {
                if (failure.call == number) {
                    wanted.remove(failure);
                    return failure.symbol;
                }
            }
        }
        return null;
    }

    synchronized void launched(String kernel) {
        launches.merge(kernel, 1, Integer::sum);
    }

    synchronized void allocated(long bytes) {
        liveAllocations++;
        liveBytes += bytes;
        peakBytes = Math.max(peakBytes, liveBytes);
    }

    synchronized void freed(long bytes) {
        liveAllocations--;
        liveBytes -= bytes;
    }

    synchronized void pinned(long bytes) {
        livePinned++;
        pinnedBytes += bytes;
        peakPinnedBytes = Math.max(peakPinnedBytes, pinnedBytes);
    }

    synchronized void unpinned(long bytes) {
        livePinned--;
        pinnedBytes -= bytes;
    }

    synchronized void loaded(int change) {
        loadedModules += change;
    }

    synchronized void copied(long toDevice, long toHost) {
        bytesToDevice += toDevice;
        bytesToHost += toHost;
    }

    synchronized void left(String what) {
        leftovers.add(what);
    }
}
