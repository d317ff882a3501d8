package kiln.kernels;

import java.nio.ByteBuffer;
import java.util.Objects;

/**
 * One device, ready to work. Addresses are the device's; sizes are bytes.
 *
 * <p>Copies, fills and launches are queued on a stream and return at once; what they touch must stay until the stream is synchronized. One
 * thread at a time, any thread. Whoever opened it closes it; whatever was made from it and not freed goes with it.
 *
 * <p>Every method may throw {@link CudaException}. A fault of a kernel shows at the next call that waits.
 */
public interface CudaContext extends AutoCloseable {
    /** Work in order. The handle is the implementation's. */
    record Stream(Object handle) {
        public Stream {
            Objects.requireNonNull(handle, "handle");
        }
    }

    /** A mark on a stream. The handle is the implementation's. */
    record Event(Object handle) {
        public Event {
            Objects.requireNonNull(handle, "handle");
        }
    }

    /** A kernel that was loaded, ready to be launched. The handles are the implementation's. */
    record LoadedKernel(Kernel kernel, Object module, Object function) {
        public LoadedKernel {
            Objects.requireNonNull(kernel, "kernel");
            Objects.requireNonNull(module, "module");
            Objects.requireNonNull(function, "function");
        }
    }

    /** Work that was captured, to be queued as one piece. The handle is the implementation's. */
    record Graph(Object handle) {
        public Graph {
            Objects.requireNonNull(handle, "handle");
        }
    }

    /** Host memory that the device reads and writes directly; little-endian. Valid until it is freed. */
    record PinnedMemory(Object handle, ByteBuffer bytes) {
        public PinnedMemory {
            Objects.requireNonNull(handle, "handle");
            Objects.requireNonNull(bytes, "bytes");
        }
    }

    /** The device's memory, by all processes. */
    record MemoryInfo(long freeBytes, long totalBytes) {}

    CudaDevices.Device device();

    MemoryInfo memoryInfo();

    /** How many blocks run at the same time without sharing one. */
    int multiprocessors();

    // Kernels.

    /**
     * Has the driver translate the kernel's text, which takes milliseconds.
     *
     * @throws CudaException with the translator's log
     */
    LoadedKernel load(Kernel kernel);

    void unload(LoadedKernel kernel);

    /** Queues the call. {@code kernel} is the call's, loaded here. */
    void launch(LoadedKernel kernel, KernelCall call, Stream stream);

    // Memory.

    /**
     * @param purpose what it is for, in errors: "activations"
     * @throws CudaException when there is too little, with what was needed and what is free
     */
    long allocate(long bytes, String purpose);

    void free(long address);

    /** @param bytes at most 2 GiB − 1 */
    PinnedMemory allocatePinned(long bytes, String purpose);

    void free(PinnedMemory memory);

    void copyToDevice(PinnedMemory source, long sourceOffset, long target, long bytes, Stream stream);

    void copyToHost(long source, PinnedMemory target, long targetOffset, long bytes, Stream stream);

    void copyOnDevice(long source, long target, long bytes, Stream stream);

    void fill(long address, byte value, long bytes, Stream stream);

    // Order.

    /** A stream that waits for nothing but what it is told to. */
    Stream createStream();

    void destroy(Stream stream);

    /** Waits until all of the stream's work is done. */
    void synchronize(Stream stream);

    /** @param timed whether {@link #milliseconds} will be asked; untimed events cost less */
    Event createEvent(boolean timed);

    void destroy(Event event);

    void record(Event event, Stream stream);

    /** What is queued on the stream from now on waits for the event's last record. */
    void waitFor(Event event, Stream stream);

    boolean isReached(Event event);

    void synchronize(Event event);

    /** Between two timed events that were reached. */
    float milliseconds(Event begin, Event end);

    // Libraries.

    /**
     * Loads cuBLAS, which takes a good part of a second and device memory of its own.
     *
     * @throws LibraryException when it is missing, broken, too old, or does not start
     */
    Cublas openCublas() throws LibraryException;

    /** The same with cuDNN. */
    Cudnn openCudnn() throws LibraryException;

    // Graphs: a card takes a hundred launches at once in the time of a few.

    /**
     * What {@code work} queues on the stream is kept and not done. Another stream takes part from where it waits for an event that was recorded here; the
     * first must wait for it in the end. Whatever makes the host or the device wait is refused meanwhile: allocating, freeing, loading, synchronizing.
     *
     * @throws CudaException also when {@code work} did such a thing
     */
    Graph capture(Stream stream, Runnable work);

    /** Queues all of it. Addresses, sizes and arguments are those of the capture. */
    void launch(Graph graph, Stream stream);

    void destroy(Graph graph);

    @Override
    void close();
}
