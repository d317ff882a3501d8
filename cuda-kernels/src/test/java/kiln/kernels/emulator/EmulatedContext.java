package kiln.kernels.emulator;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import kiln.kernels.Cublas;
import kiln.kernels.CudaContext;
import kiln.kernels.CudaDevices;
import kiln.kernels.CudaException;
import kiln.kernels.Cudnn;
import kiln.kernels.Kernel;
import kiln.kernels.KernelCall;
import kiln.kernels.LibraryException;
import kiln.kernels.SharedMemoryLimits;

/**
 * {@link CudaContext} on the emulator. Beyond what a card would notice, it refuses to free what queued work still uses and to bring memory to the host
 * that nothing wrote; what a kernel does wrong is a {@link KernelFault}, at the launch or, where streams are lazy, at a call that waits.
 */
public final class EmulatedContext implements CudaContext {
    private static final String INVALID_VALUE = "CUDA_ERROR_INVALID_VALUE";
    private static final String INVALID_HANDLE = "CUDA_ERROR_INVALID_HANDLE";
    private static final String CAPTURE_UNSUPPORTED = "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED";
    /** What pinned memory holds before it is written and after it is freed. */
    private static final byte NOT_WRITTEN = (byte) 0xa5;
    private static final byte FREED = (byte) 0xdd;

    private record Allocation(long bytes, String purpose) {}

    /** No record: buffers are equal by what they hold. */
    private static final class Pinned {
        private final ByteBuffer buffer;
        private final String purpose;

        private Pinned(ByteBuffer buffer, String purpose) {
            this.buffer = buffer;
            this.purpose = purpose;
        }
    }

    private static final class Timer {
        private final boolean timed;
        private boolean destroyed;
        private WorkQueue.Mark last;
        /** That the last record is part of; null mostly. */
        private CapturedWork capture;

        private Timer(boolean timed) {
            this.timed = timed;
        }
    }

    private final EmulatedCard card;
    private final DeviceMemory memory;
    private final CudaDevices.Device device;
    private final DriverRecord record;
    private final PtxEmulator emulator;
    private final WorkQueue queue;
    private final Map<Long, Allocation> allocations = new LinkedHashMap<>();
    private final Set<Pinned> pinned = new LinkedHashSet<>();
    private final Map<Object, String> modules = new LinkedHashMap<>();
    private final boolean hasLibraries;
    private final List<String> libraries = new ArrayList<>();
    private final Set<CapturedWork> graphs = new LinkedHashSet<>();
    private boolean closed;

    EmulatedContext(EmulatedCard card, DeviceMemory memory, CudaDevices.Device device, DriverRecord record, boolean hasLibraries) {
        this.hasLibraries = hasLibraries;
        this.card = card;
        this.memory = memory;
        this.device = device;
        this.record = record;
        emulator = new PtxEmulator(memory, card.checks(), card.javaThreads());
        queue = new WorkQueue(card.order(), card.seed());
    }

    private void called(DriverCall kind, String doing) {
        requireOpen();
        record.called(kind, doing);
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the CUDA context is closed");
        }
    }

    @Override
    public CudaDevices.Device device() {
        return device;
    }

    @Override
    public MemoryInfo memoryInfo() {
        called(DriverCall.MEMORY_INFO, "asking for free memory");
        return new MemoryInfo(memory.freeBytes(), card.totalBytes());
    }

    @Override
    public int multiprocessors() {
        return EmulatedCard.MULTIPROCESSORS;
    }

    // Kernels.

    @Override
    public LoadedKernel load(Kernel kernel) {
        String doing = "loading the kernel " + kernel.name() + " (" + kernel.variant() + ")";
        called(DriverCall.LOAD, doing);
        requireNoCapture(doing);
        PtxModule module;
        try {
            module = ModuleCache.parse(kernel.ptx());
        } catch (PtxException e) {
            throw new CudaException("CUDA_ERROR_INVALID_PTX", doing, e.getMessage());
        }
        int capability = card.major() * 10 + card.minor();
        if (module.targetCapability() > capability) {
            throw new CudaException("CUDA_ERROR_INVALID_PTX", doing, "the text is for " + module.target() + ", the card is sm_" + capability);
        }
        if (!module.hasKernel(kernel.name())) {
            throw new CudaException("CUDA_ERROR_NOT_FOUND", doing);
        }
        int shared = module.kernel(kernel.name()).staticSharedBytes() + kernel.dynamicSharedBytes();
        if (shared > SharedMemoryLimits.ofBlock(capability)) {
            throw new CudaException(INVALID_VALUE, doing, kernel.dynamicSharedBytes() + " bytes of shared memory for a block");
        }
        Object handle = new Object();
        modules.put(handle, kernel.name() + " (" + kernel.variant() + ")");
        record.loaded(1);
        return new LoadedKernel(kernel, handle, module);
    }

    @Override
    public void unload(LoadedKernel kernel) {
        String doing = "unloading the kernel " + kernel.kernel().name();
        called(DriverCall.UNLOAD, doing);
        if (!modules.containsKey(kernel.module())) {
            throw new CudaException(INVALID_HANDLE, doing);
        }
        requireUnused(kernel.module(), doing);
        modules.remove(kernel.module());
        record.loaded(-1);
    }

    @Override
    public void launch(LoadedKernel kernel, KernelCall call, Stream stream) {
        if (!kernel.kernel().equals(call.kernel())) {
            throw new IllegalArgumentException("a call of " + call.kernel() + " with " + kernel.kernel());
        }
        String what = call.kernel().name() + " (" + call.kernel().variant() + ")";
        String doing = "launching " + what;
        called(DriverCall.LAUNCH, doing);
        WorkQueue.Lane lane = lane(stream, doing);
        if (!modules.containsKey(kernel.module())) {
            throw new CudaException(INVALID_HANDLE, doing);
        }
        PtxModule module = (PtxModule) kernel.function();
        String entry = call.kernel().name();
        byte[] parameters = PtxEmulator.pack(module.kernel(entry), call.arguments().toArray());
        Dim3 grid = new Dim3(call.gridX(), call.gridY(), call.gridZ());
        Dim3 block = Dim3.of(call.kernel().threads());
        Set<Object> uses = new HashSet<>();
        uses.add(kernel.module());
        for (Object argument : call.arguments()) {
            if (argument instanceof Long address) {
                addAllocation(uses, address);
            }
        }
        int shared = call.kernel().dynamicSharedBytes();
        Runnable action = () -> emulator.launchPacked(module, entry, grid, block, shared, parameters);
        add(lane, new CapturedWork.Piece("the launch of " + what, uses, () -> record.launched(entry), action));
    }

    private void add(WorkQueue.Lane lane, CapturedWork.Piece piece) {
        if (lane.capture != null) {
            lane.capture.add(piece);
        } else {
            piece.account().run();
            queue.add(lane, piece.what(), piece.uses(), piece.action());
        }
    }

    private void addAllocation(Set<Object> uses, long address) {
        DeviceMemory.Allocation allocation = memory.find(address);
        if (allocation != null && !allocation.freed && address - allocation.base < allocation.bytes) {
            uses.add(allocation.base);
        }
    }

    // Memory.

    @Override
    public long allocate(long bytes, String purpose) {
        requireOpen();
        String symbol = record.refusal(DriverCall.ALLOCATE);
        if (symbol == null && spoilsCapture()) {
            symbol = CAPTURE_UNSUPPORTED;
        }
        if (symbol == null && bytes <= 0) {
            symbol = INVALID_VALUE;
        }
        if (symbol == null && bytes > memory.freeBytes()) {
            symbol = "CUDA_ERROR_OUT_OF_MEMORY";
        }
        if (symbol != null) {
            throw CudaException.reserving(symbol, bytes, purpose, memory.freeBytes());
        }
        long address = memory.allocate(bytes);
        allocations.put(address, new Allocation(bytes, purpose));
        record.allocated(bytes);
        return address;
    }

    @Override
    public void free(long address) {
        called(DriverCall.FREE, "freeing device memory");
        requireNoCapture("freeing device memory");
        Allocation allocation = allocations.get(address);
        if (allocation == null) {
            throw new CudaException(INVALID_VALUE, "freeing device memory");
        }
        requireUnused(address, "freeing the memory of " + allocation.purpose);
        allocations.remove(address);
        memory.free(address);
        record.freed(allocation.bytes);
    }

    @Override
    public PinnedMemory allocatePinned(long bytes, String purpose) {
        if (bytes > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(bytes + " bytes of pinned memory at once for " + purpose);
        }
        requireOpen();
        String symbol = record.refusal(DriverCall.ALLOCATE_PINNED);
        if (symbol == null && bytes <= 0) {
            symbol = INVALID_VALUE;
        }
        if (symbol != null) {
            throw CudaException.reservingPinned(symbol, bytes, purpose);
        }
        ByteBuffer buffer = ByteBuffer.allocateDirect((int) bytes).order(ByteOrder.LITTLE_ENDIAN);
        set(buffer, NOT_WRITTEN);
        Pinned block = new Pinned(buffer, purpose);
        pinned.add(block);
        record.pinned(bytes);
        return new PinnedMemory(block, buffer.duplicate().order(ByteOrder.LITTLE_ENDIAN));
    }

    private static void set(ByteBuffer buffer, byte value) {
        for (int i = 0; i < buffer.capacity(); i++) {
            buffer.put(i, value);
        }
    }

    @Override
    public void free(PinnedMemory pinnedMemory) {
        String doing = "freeing pinned host memory";
        called(DriverCall.FREE_PINNED, doing);
        Pinned block = block(pinnedMemory, doing);
        requireUnused(block, "freeing the pinned memory of " + block.purpose);
        pinned.remove(block);
        set(block.buffer, FREED);
        record.unpinned(block.buffer.capacity());
    }

    private Pinned block(PinnedMemory pinnedMemory, String doing) {
        if (!(pinnedMemory.handle() instanceof Pinned block) || !pinned.contains(block)) {
            throw new CudaException(INVALID_VALUE, doing);
        }
        return block;
    }

    private ByteBuffer buffer(PinnedMemory pinnedMemory, long offset, long bytes, String doing) {
        ByteBuffer buffer = block(pinnedMemory, doing).buffer;
        if (offset < 0 || bytes < 0 || offset + bytes > buffer.capacity()) {
            throw new IllegalArgumentException(
                    "bytes " + offset + " to " + (offset + bytes) + " of " + buffer.capacity() + " bytes of pinned memory");
        }
        return buffer;
    }

    /** The allocation's first address. */
    private long allocation(long address, long bytes, String doing) {
        DeviceMemory.Allocation allocation = memory.find(address);
        String problem = bytes < 0 ? "has a negative size" : DeviceMemory.problem(allocation, address, bytes);
        if (problem != null) {
            throw new CudaException(INVALID_VALUE, doing, "access of " + bytes + " bytes at " + DeviceMemory.hex(address) + " " + problem);
        }
        return allocation.base;
    }

    @Override
    public void copyToDevice(PinnedMemory source, long sourceOffset, long target, long bytes, Stream stream) {
        String doing = "copying to the device";
        called(DriverCall.COPY_TO_DEVICE, doing);
        WorkQueue.Lane lane = lane(stream, doing);
        ByteBuffer buffer = buffer(source, sourceOffset, bytes, doing);
        Set<Object> uses = Set.of(source.handle(), allocation(target, bytes, doing));
        Runnable action = () -> memory.write(target, buffer, (int) sourceOffset, (int) bytes);
        add(lane, new CapturedWork.Piece("a copy to the device", uses, () -> record.copied(bytes, 0), action));
    }

    @Override
    public void copyToHost(long source, PinnedMemory target, long targetOffset, long bytes, Stream stream) {
        String doing = "copying from the device";
        called(DriverCall.COPY_TO_HOST, doing);
        WorkQueue.Lane lane = lane(stream, doing);
        ByteBuffer buffer = buffer(target, targetOffset, bytes, doing);
        Set<Object> uses = Set.of(target.handle(), allocation(source, bytes, doing));
        Runnable action = () -> {
            if (card.checks().uninitialisedReads() && !memory.isInitialised(source, bytes)) {
                throw new KernelFault("copy of " + bytes + " bytes at " + DeviceMemory.hex(source) + " to the host, of which some were never written");
            }
            memory.read(source, buffer, (int) targetOffset, (int) bytes);
        };
        add(lane, new CapturedWork.Piece("a copy from the device", uses, () -> record.copied(0, bytes), action));
    }

    @Override
    public void copyOnDevice(long source, long target, long bytes, Stream stream) {
        String doing = "copying on the device";
        called(DriverCall.COPY_ON_DEVICE, doing);
        WorkQueue.Lane lane = lane(stream, doing);
        Set<Object> uses = new HashSet<>();
        uses.add(allocation(source, bytes, doing));
        uses.add(allocation(target, bytes, doing));
        add(lane, new CapturedWork.Piece("a copy on the device", uses, () -> {}, () -> memory.copy(target, source, bytes)));
    }

    @Override
    public void fill(long address, byte value, long bytes, Stream stream) {
        String doing = "filling device memory";
        called(DriverCall.FILL, doing);
        WorkQueue.Lane lane = lane(stream, doing);
        Set<Object> uses = Set.of(allocation(address, bytes, doing));
        add(lane, new CapturedWork.Piece("a fill", uses, () -> {}, () -> memory.fill(address, bytes, value)));
    }

    private void requireUnused(Object resource, String doing) {
        String user = queue.userOf(resource);
        if (user != null) {
            throw new IllegalStateException(doing + " while " + user + " is queued and uses it");
        }
    }

    // Order.

    private WorkQueue.Lane lane(Stream stream, String doing) {
        if (!(stream.handle() instanceof WorkQueue.Lane lane) || !queue.owns(lane)) {
            throw new CudaException(INVALID_HANDLE, doing);
        }
        return lane;
    }

    private static Timer timer(Event event, String doing) {
        if (!(event.handle() instanceof Timer timer) || timer.destroyed) {
            throw new CudaException(INVALID_HANDLE, doing);
        }
        return timer;
    }

    @Override
    public Stream createStream() {
        called(DriverCall.CREATE_STREAM, "making a stream");
        return new Stream(queue.createLane());
    }

    @Override
    public void destroy(Stream stream) {
        requireOpen();
        queue.destroy(lane(stream, "ending a stream"));
    }

    @Override
    public void synchronize(Stream stream) {
        String doing = "waiting for the device";
        called(DriverCall.SYNCHRONIZE, doing);
        WorkQueue.Lane lane = lane(stream, doing);
        requireNotPartOf(lane.capture, doing);
        queue.finish(lane);
    }

    @Override
    public Event createEvent(boolean timed) {
        called(DriverCall.CREATE_EVENT, "making an event");
        return new Event(new Timer(timed));
    }

    @Override
    public void destroy(Event event) {
        requireOpen();
        timer(event, "ending an event").destroyed = true;
    }

    @Override
    public void record(Event event, Stream stream) {
        called(DriverCall.RECORD, "recording an event");
        Timer timer = timer(event, "recording an event");
        WorkQueue.Lane lane = lane(stream, "recording an event");
        timer.capture = lane.capture;
        if (lane.capture == null) {
            timer.last = queue.mark(lane);
        }
    }

    @Override
    public void waitFor(Event event, Stream stream) {
        String doing = "making a stream wait";
        called(DriverCall.WAIT, doing);
        Timer timer = timer(event, doing);
        WorkQueue.Lane lane = lane(stream, doing);
        if (timer.capture != null && timer.capture.ended()) {
            timer.capture = null;
        }
        if (timer.capture != null) {
            lane.capture = timer.capture;
        } else if (lane.capture != null && timer.last != null) {
            throw new CudaException("CUDA_ERROR_STREAM_CAPTURE_ISOLATION", doing);
        } else if (timer.last != null) {
            queue.await(lane, timer.last);
        }
    }

    @Override
    public boolean isReached(Event event) {
        called(DriverCall.QUERY, "asking for an event");
        Timer timer = timer(event, "asking for an event");
        requireNotPartOf(timer.capture, "asking for an event");
        WorkQueue.Mark mark = timer.last;
        queue.advance();
        return mark == null || mark.reached();
    }

    @Override
    public void synchronize(Event event) {
        called(DriverCall.SYNCHRONIZE, "waiting for an event");
        Timer timer = timer(event, "waiting for an event");
        requireNotPartOf(timer.capture, "waiting for an event");
        if (timer.last != null) {
            queue.reach(timer.last);
        }
    }

    @Override
    public float milliseconds(Event begin, Event end) {
        requireOpen();
        Timer from = timer(begin, "measuring time");
        Timer to = timer(end, "measuring time");
        if (!from.timed || !to.timed || from.last == null || to.last == null) {
            throw new CudaException(INVALID_HANDLE, "measuring time");
        }
        if (!from.last.reached() || !to.last.reached()) {
            throw new CudaException("CUDA_ERROR_NOT_READY", "measuring time");
        }
        return (to.last.nanoseconds() - from.last.nanoseconds()) / 1e6f;
    }

    // Libraries.

    @Override
    public Cublas openCublas() throws LibraryException {
        openLibrary("cublas", "libcublas.so.12");
        return new EmulatedLibraries.Products(this);
    }

    @Override
    public Cudnn openCudnn() throws LibraryException {
        openLibrary("cudnn", "libcudnn.so.8");
        return new EmulatedLibraries.Convolutions(this);
    }

    private void openLibrary(String name, String file) throws LibraryException {
        requireOpen();
        if (!hasLibraries) {
            throw new LibraryException(file + " was not found");
        }
        libraries.add(name);
    }

    void libraryClosed(String name) {
        requireOpen();
        libraries.remove(name);
    }

    /** Queues a library's work. */
    void queue(String library, String label, List<Long> addresses, Stream stream, BiConsumer<DeviceMemory, EmulatorChecks> work) {
        String doing = "launching " + library + ": " + label;
        called(DriverCall.LAUNCH, doing);
        WorkQueue.Lane lane = lane(stream, doing);
        if (!libraries.contains(library)) {
            throw new CudaException(INVALID_HANDLE, doing);
        }
        Set<Object> uses = new HashSet<>();
        addresses.forEach(address -> addAllocation(uses, address));
        add(lane, new CapturedWork.Piece(label, uses, () -> record.launched(library), () -> work.accept(memory, card.checks())));
    }

    // Graphs. All that is captured keeps the order of the calls, as if each stream had waited for the one before it.

    private boolean spoilsCapture() {
        Set<CapturedWork> captures = queue.captures();
        captures.forEach(CapturedWork::spoil);
        return !captures.isEmpty();
    }

    private void requireNoCapture(String doing) {
        if (spoilsCapture()) {
            throw new CudaException(CAPTURE_UNSUPPORTED, doing);
        }
    }

    private void requireNotPartOf(CapturedWork capture, String doing) {
        if (capture != null && !capture.ended()) {
            capture.spoil();
            throw new CudaException(CAPTURE_UNSUPPORTED, doing);
        }
    }

    @Override
    public Graph capture(Stream stream, Runnable work) {
        called(DriverCall.CAPTURE, "beginning a graph");
        WorkQueue.Lane lane = lane(stream, "beginning a graph");
        if (lane.capture != null) {
            throw new CudaException(INVALID_VALUE, "beginning a graph");
        }
        CapturedWork captured = new CapturedWork();
        lane.capture = captured;
        try {
            work.run();
        } finally {
            queue.endCapture(captured);
        }
        if (captured.spoilt()) {
            throw new CudaException("CUDA_ERROR_STREAM_CAPTURE_INVALIDATED", "capturing a graph");
        }
        graphs.add(captured);
        return new Graph(captured);
    }

    @Override
    public void launch(Graph graph, Stream stream) {
        String doing = "launching a graph";
        called(DriverCall.LAUNCH_GRAPH, doing);
        WorkQueue.Lane lane = lane(stream, doing);
        for (CapturedWork.Piece piece : captured(graph, doing).pieces()) {
            add(lane, piece);
        }
    }

    @Override
    public void destroy(Graph graph) {
        requireOpen();
        graphs.remove(captured(graph, "ending a graph"));
    }

    private CapturedWork captured(Graph graph, String doing) {
        if (!(graph.handle() instanceof CapturedWork captured) || !graphs.contains(captured)) {
            throw new CudaException(INVALID_VALUE, doing);
        }
        return captured;
    }

    /** Frees all that is left, and records it as such. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        if (queue.pending() > 0) {
            record.left(queue.pending() + " pieces of queued work");
        }
        queue.forget();
        allocations.forEach((address, allocation) -> {
            record.left(allocation.bytes + " bytes of device memory for " + allocation.purpose);
            record.freed(allocation.bytes);
            memory.free(address);
        });
        libraries.forEach(name -> record.left("the library " + name));
        for (Pinned block : pinned) {
            record.left(block.buffer.capacity() + " bytes of pinned memory for " + block.purpose);
            record.unpinned(block.buffer.capacity());
        }
        graphs.forEach(graph -> record.left("a graph of " + graph.pieces().size() + " pieces of work"));
        modules.forEach((handle, name) -> {
            record.left("the kernel " + name);
            record.loaded(-1);
        });
    }
}
