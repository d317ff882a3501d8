package kiln.kernels;

import static kiln.kernels.JCudaLibrary.check;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUevent;
import jcuda.driver.CUfunction;
import jcuda.driver.CUfunction_attribute;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUjit_option;
import jcuda.driver.CUmodule;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.JCudaDriver;
import jcuda.driver.JITOptions;

/**
 * {@link CudaContext} on JCuda.
 *
 * <p>It is the device's primary context, the one that NVIDIA's libraries use as well, so that they can work on the same memory.
 */
final class JCudaContext implements CudaContext {
    private static final int JIT_LOG_BYTES = 8192;
    private static final int STREAM_NON_BLOCKING = 1;
    private static final int EVENT_DEFAULT = 0;
    private static final int EVENT_UNTIMED = 2;

    /** A device address as JCuda wants it, and back: it has no constructor from a number, and shows its own to subclasses only. */
    static final class Address extends CUdeviceptr {
        Address(long address) {
            super(new CUdeviceptr(), address);
        }

        Address(CUdeviceptr allocated) {
            super(allocated);
        }

        long value() {
            return getNativePointer();
        }
    }

    /** The context that this class made a thread's current one; the driver keeps one for each thread. */
    private static final ThreadLocal<JCudaContext> CURRENT = new ThreadLocal<>();

    private final CUdevice handle;
    private final LaunchArguments arguments = new LaunchArguments();
    private final Path nativesFolder;
    private final CUcontext context = new CUcontext();
    private final CudaDevices.Device device;
    private boolean closed;

    /** @param nativesFolder where more of JCuda's native libraries are unpacked when they are needed */
    JCudaContext(int index, Path nativesFolder) {
        this.nativesFolder = nativesFolder;
        handle = JCudaLibrary.handle(index);
        check(JCudaDriver.cuDevicePrimaryCtxRetain(context, handle), "opening device " + index);
        try {
            bind();
            device = JCudaLibrary.describe(index, memoryInfo().freeBytes());
        } catch (RuntimeException e) {
            JCudaDriver.cuDevicePrimaryCtxRelease(handle);
            throw e;
        }
    }

    void bind() {
        if (closed) {
            throw new IllegalStateException("the CUDA context is closed");
        }
        if (CURRENT.get() != this) {
            check(JCudaDriver.cuCtxSetCurrent(context), "making a context current");
            CURRENT.set(this);
        }
    }

    @Override
    public CudaDevices.Device device() {
        return device;
    }

    @Override
    public MemoryInfo memoryInfo() {
        bind();
        long[] free = new long[1];
        long[] total = new long[1];
        check(JCudaDriver.cuMemGetInfo(free, total), "asking for free memory");
        return new MemoryInfo(free[0], total[0]);
    }

    @Override
    public int multiprocessors() {
        bind();
        return JCudaLibrary.attribute(handle, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
    }

    @Override
    public LoadedKernel load(Kernel kernel) {
        bind();
        String doing = "loading the kernel " + kernel.name() + " (" + kernel.variant() + ")";
        CUmodule module = new CUmodule();
        JITOptions options = new JITOptions();
        options.putInt(CUjit_option.CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES, JIT_LOG_BYTES);
        options.putBytes(CUjit_option.CU_JIT_ERROR_LOG_BUFFER, new byte[JIT_LOG_BYTES]);
        byte[] text = (kernel.ptx() + "\0").getBytes(StandardCharsets.US_ASCII);
        int status = JCudaDriver.cuModuleLoadDataJIT(module, Pointer.to(ByteBuffer.allocateDirect(text.length).put(text).flip()), options);
        if (status != CUresult.CUDA_SUCCESS) {
            throw new CudaException(CUresult.stringFor(status), doing, oneLine(options.getString(CUjit_option.CU_JIT_ERROR_LOG_BUFFER)));
        }
        CUfunction function = new CUfunction();
        status = JCudaDriver.cuModuleGetFunction(function, module, kernel.name());
        if (status != CUresult.CUDA_SUCCESS) {
            JCudaDriver.cuModuleUnload(module);
            throw new CudaException(CUresult.stringFor(status), doing);
        }
        if (kernel.dynamicSharedBytes() > 0) {
            int attribute = CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
            status = JCudaDriver.cuFuncSetAttribute(function, attribute, kernel.dynamicSharedBytes());
            if (status != CUresult.CUDA_SUCCESS) {
                JCudaDriver.cuModuleUnload(module);
                throw new CudaException(CUresult.stringFor(status), doing, kernel.dynamicSharedBytes() + " bytes of shared memory for a block");
            }
        }
        return new LoadedKernel(kernel, module, function);
    }

    private static String oneLine(String log) {
        String text = log == null ? "" : log.replace("\0", "").strip().replaceAll("\\s*\\R\\s*", "; ");
        return text.isEmpty() ? null : text;
    }

    @Override
    public void unload(LoadedKernel kernel) {
        bind();
        check(JCudaDriver.cuModuleUnload((CUmodule) kernel.module()), "unloading the kernel " + kernel.kernel().name());
    }

    @Override
    public void launch(LoadedKernel kernel, KernelCall call, Stream stream) {
        if (kernel.kernel() != call.kernel() && !kernel.kernel().equals(call.kernel())) {
            throw new IllegalArgumentException("a call of " + call.kernel() + " with " + kernel.kernel());
        }
        bind();
        List<Object> values = call.arguments();
        for (int i = 0; i < values.size(); i++) {
            arguments.set(i, values.get(i));
        }
        int status = JCudaDriver.cuLaunchKernel(
                (CUfunction) kernel.function(),
                call.gridX(),
                call.gridY(),
                call.gridZ(),
                call.kernel().threads(),
                1,
                1,
                call.kernel().dynamicSharedBytes(),
                (CUstream) stream.handle(),
                arguments.first(values.size()),
                null);
        if (status != CUresult.CUDA_SUCCESS) {
            throw new CudaException(CUresult.stringFor(status), "launching " + call.kernel().name() + " (" + call.kernel().variant() + ")");
        }
    }

    @Override
    public long allocate(long bytes, String purpose) {
        bind();
        CUdeviceptr address = new CUdeviceptr();
        int status = JCudaDriver.cuMemAlloc(address, bytes);
        if (status != CUresult.CUDA_SUCCESS) {
            throw CudaException.reserving(CUresult.stringFor(status), bytes, purpose, memoryInfo().freeBytes());
        }
        return new Address(address).value();
    }

    @Override
    public void free(long address) {
        bind();
        check(JCudaDriver.cuMemFree(new Address(address)), "freeing device memory");
    }

    @Override
    public PinnedMemory allocatePinned(long bytes, String purpose) {
        if (bytes > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(bytes + " bytes of pinned memory at once for " + purpose);
        }
        bind();
        Pointer pointer = new Pointer();
        int status = JCudaDriver.cuMemHostAlloc(pointer, bytes, 0);
        if (status != CUresult.CUDA_SUCCESS) {
            throw CudaException.reservingPinned(CUresult.stringFor(status), bytes, purpose);
        }
        return new PinnedMemory(pointer, pointer.getByteBuffer(0, bytes).order(ByteOrder.LITTLE_ENDIAN));
    }

    @Override
    public void free(PinnedMemory memory) {
        bind();
        check(JCudaDriver.cuMemFreeHost((Pointer) memory.handle()), "freeing pinned host memory");
    }

    private static Pointer at(PinnedMemory memory, long offset, long bytes) {
        if (offset < 0 || bytes < 0 || offset + bytes > memory.bytes().capacity()) {
            throw new IllegalArgumentException(
                    "bytes " + offset + " to " + (offset + bytes) + " of " + memory.bytes().capacity() + " bytes of pinned memory");
        }
        return ((Pointer) memory.handle()).withByteOffset(offset);
    }

    @Override
    public void copyToDevice(PinnedMemory source, long sourceOffset, long target, long bytes, Stream stream) {
        bind();
        Pointer from = at(source, sourceOffset, bytes);
        check(JCudaDriver.cuMemcpyHtoDAsync(new Address(target), from, bytes, (CUstream) stream.handle()), "copying to the device");
    }

    @Override
    public void copyToHost(long source, PinnedMemory target, long targetOffset, long bytes, Stream stream) {
        bind();
        Pointer to = at(target, targetOffset, bytes);
        check(JCudaDriver.cuMemcpyDtoHAsync(to, new Address(source), bytes, (CUstream) stream.handle()), "copying from the device");
    }

    @Override
    public void copyOnDevice(long source, long target, long bytes, Stream stream) {
        bind();
        int status = JCudaDriver.cuMemcpyDtoDAsync(new Address(target), new Address(source), bytes, (CUstream) stream.handle());
        check(status, "copying on the device");
    }

    @Override
    public void fill(long address, byte value, long bytes, Stream stream) {
        bind();
        check(JCudaDriver.cuMemsetD8Async(new Address(address), value, bytes, (CUstream) stream.handle()), "filling device memory");
    }

    @Override
    public Stream createStream() {
        bind();
        CUstream stream = new CUstream();
        check(JCudaDriver.cuStreamCreate(stream, STREAM_NON_BLOCKING), "making a stream");
        return new Stream(stream);
    }

    @Override
    public void destroy(Stream stream) {
        bind();
        check(JCudaDriver.cuStreamDestroy((CUstream) stream.handle()), "ending a stream");
    }

    @Override
    public void synchronize(Stream stream) {
        bind();
        check(JCudaDriver.cuStreamSynchronize((CUstream) stream.handle()), "waiting for the device");
    }

    @Override
    public Event createEvent(boolean timed) {
        bind();
        CUevent event = new CUevent();
        check(JCudaDriver.cuEventCreate(event, timed ? EVENT_DEFAULT : EVENT_UNTIMED), "making an event");
        return new Event(event);
    }

    @Override
    public void destroy(Event event) {
        bind();
        check(JCudaDriver.cuEventDestroy((CUevent) event.handle()), "ending an event");
    }

    @Override
    public void record(Event event, Stream stream) {
        bind();
        check(JCudaDriver.cuEventRecord((CUevent) event.handle(), (CUstream) stream.handle()), "recording an event");
    }

    @Override
    public void waitFor(Event event, Stream stream) {
        bind();
        int status = JCudaDriver.cuStreamWaitEvent((CUstream) stream.handle(), (CUevent) event.handle(), 0);
        check(status, "making a stream wait");
    }

    @Override
    public boolean isReached(Event event) {
        bind();
        int status = JCudaDriver.cuEventQuery((CUevent) event.handle());
        if (status == CUresult.CUDA_ERROR_NOT_READY) {
            return false;
        }
        check(status, "asking for an event");
        return true;
    }

    @Override
    public void synchronize(Event event) {
        bind();
        check(JCudaDriver.cuEventSynchronize((CUevent) event.handle()), "waiting for an event");
    }

    @Override
    public float milliseconds(Event begin, Event end) {
        bind();
        float[] result = new float[1];
        int status = JCudaDriver.cuEventElapsedTime(result, (CUevent) begin.handle(), (CUevent) end.handle());
        check(status, "measuring time");
        return result[0];
    }

    @Override
    public Cublas openCublas() throws LibraryException {
        bind();
        return JCudaCublas.open(this, nativesFolder);
    }

    @Override
    public Cudnn openCudnn() throws LibraryException {
        bind();
        return JCudaCudnn.open(this, nativesFolder);
    }

    @Override
    public Graph capture(Stream stream, Runnable work) {
        bind();
        CUstream captured = (CUstream) stream.handle();
        check(JCudaDriver.cuStreamBeginCapture(captured, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL), "beginning a graph");
        CUgraph graph = new CUgraph();
        int status;
        try {
            work.run();
            status = JCudaDriver.cuStreamEndCapture(captured, graph);
        } catch (RuntimeException | Error e) {
            // The stream must not stay in that state.
            if (JCudaDriver.cuStreamEndCapture(captured, graph) == CUresult.CUDA_SUCCESS) {
                JCudaDriver.cuGraphDestroy(graph);
            }
            throw e;
        }
        check(status, "capturing a graph");
        CUgraphExec executable = new CUgraphExec();
        status = JCudaDriver.cuGraphInstantiate(executable, graph, 0);
        JCudaDriver.cuGraphDestroy(graph);
        check(status, "preparing a graph");
        return new Graph(executable);
    }

    @Override
    public void launch(Graph graph, Stream stream) {
        bind();
        check(JCudaDriver.cuGraphLaunch((CUgraphExec) graph.handle(), (CUstream) stream.handle()), "launching a graph");
    }

    @Override
    public void destroy(Graph graph) {
        bind();
        check(JCudaDriver.cuGraphExecDestroy((CUgraphExec) graph.handle()), "ending a graph");
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        CURRENT.remove();
        check(JCudaDriver.cuDevicePrimaryCtxRelease(handle), "closing the device");
    }
}
