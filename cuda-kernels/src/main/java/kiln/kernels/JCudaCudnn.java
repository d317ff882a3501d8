package kiln.kernels;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import jcuda.Pointer;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUstream;
import jcuda.jcudnn.JCudnn;
import jcuda.jcudnn.cudnnConvolutionDescriptor;
import jcuda.jcudnn.cudnnConvolutionFwdAlgo;
import jcuda.jcudnn.cudnnConvolutionMode;
import jcuda.jcudnn.cudnnDataType;
import jcuda.jcudnn.cudnnFilterDescriptor;
import jcuda.jcudnn.cudnnHandle;
import jcuda.jcudnn.cudnnMathType;
import jcuda.jcudnn.cudnnStatus;
import jcuda.jcudnn.cudnnTensorDescriptor;
import jcuda.jcudnn.cudnnTensorFormat;
import jcuda.runtime.cudaStream_t;

/** {@link Cudnn} on JCudnn. Nothing else touches JCudnn, and this class is touched only when cuDNN is there. */
final class JCudaCudnn implements Cudnn {
    /** JCudnn's newest release is older than JCuda's, and its loader asks for a file of JCuda's version. */
    private static final JCudaExtension EXTENSION = new JCudaExtension(
            "cuDNN",
            SystemLibrary.CUDNN,
            "/lib/libJCudnn-11.7.0-linux-x86_64.so",
            "libJCudnn-12.6.0-linux-x86_64.so",
            () -> JCudnn.setExceptionsEnabled(false));
    private static final long OLDEST = 8000;
    private static final long FIRST_WITH_LONG_NUMBERS = 90_000;
    /** Deterministic, on tensor cores where there are some, and for all sizes. */
    private static final int ALGORITHM = cudnnConvolutionFwdAlgo.CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM;

    private static final Pointer ONE = Pointer.to(new float[] {1});
    private static final Pointer ZERO = Pointer.to(new float[] {0});

    /** A convolution as cuDNN is told of it. */
    private static final class Description {
        private final cudnnTensorDescriptor in = new cudnnTensorDescriptor();
        private final cudnnFilterDescriptor weights = new cudnnFilterDescriptor();
        private final cudnnConvolutionDescriptor windows = new cudnnConvolutionDescriptor();
        private final cudnnTensorDescriptor out = new cudnnTensorDescriptor();
        private long workBytes;

        private void destroy() {
            JCudnn.cudnnDestroyTensorDescriptor(in);
            JCudnn.cudnnDestroyFilterDescriptor(weights);
            JCudnn.cudnnDestroyConvolutionDescriptor(windows);
            JCudnn.cudnnDestroyTensorDescriptor(out);
        }
    }

    private final JCudaContext context;
    private final cudnnHandle handle = new cudnnHandle();
    private final String version;
    private final Map<Convolution, Optional<Description>> described = new HashMap<>();
    private CUstream current;
    private boolean closed;

    private JCudaCudnn(JCudaContext context) throws LibraryException {
        this.context = context;
        long number = JCudnn.cudnnGetVersion();
        long unit = number >= FIRST_WITH_LONG_NUMBERS ? 10_000 : 1000;
        version = number / unit + "." + number % unit / 100 + "." + number % 100;
        if (number < OLDEST) {
            throw new LibraryException("cuDNN " + version + " is too old: 8.0 or newer is needed");
        }
        context.bind();
        int status = JCudnn.cudnnCreate(handle);
        if (status != cudnnStatus.CUDNN_STATUS_SUCCESS) {
            throw new LibraryException("cuDNN " + version + " does not start on this card: " + cudnnStatus.stringFor(status));
        }
    }

    /** @throws LibraryException when cuDNN is missing, broken or too old, or does not start */
    static Cudnn open(JCudaContext context, Path nativesFolder) throws LibraryException {
        EXTENSION.load(nativesFolder);
        return new JCudaCudnn(context);
    }

    private static void check(int status, String doing) {
        if (status != cudnnStatus.CUDNN_STATUS_SUCCESS) {
            throw new CudaException(cudnnStatus.stringFor(status), doing);
        }
    }

    @Override
    public String version() {
        return version;
    }

    @Override
    public OptionalLong workBytes(Convolution convolution) {
        Optional<Description> description = description(convolution);
        return description.isPresent() ? OptionalLong.of(description.get().workBytes) : OptionalLong.empty();
    }

    private Optional<Description> description(Convolution convolution) {
        return described.computeIfAbsent(convolution, this::describe);
    }

    private Optional<Description> describe(Convolution convolution) {
        context.bind();
        String doing = "describing to cuDNN: " + convolution.label();
        boolean half = convolution.type() == DataType.F16;
        int type = half ? cudnnDataType.CUDNN_DATA_HALF : cudnnDataType.CUDNN_DATA_FLOAT;
        int format = cudnnTensorFormat.CUDNN_TENSOR_NHWC;
        int size = convolution.size();
        Description description = new Description();
        check(JCudnn.cudnnCreateTensorDescriptor(description.in), doing);
        check(JCudnn.cudnnCreateFilterDescriptor(description.weights), doing);
        check(JCudnn.cudnnCreateConvolutionDescriptor(description.windows), doing);
        check(JCudnn.cudnnCreateTensorDescriptor(description.out), doing);
        check(
                JCudnn.cudnnSetTensor4dDescriptor(
                        description.in, format, type, convolution.batch(), convolution.inChannels(), convolution.height(), convolution.width()),
                doing);
        check(
                JCudnn.cudnnSetFilter4dDescriptor(
                        description.weights, type, format, convolution.outChannels(), convolution.inChannels(), size, size),
                doing);
        check(
                JCudnn.cudnnSetConvolution2dDescriptor(
                        description.windows,
                        convolution.padding(),
                        convolution.padding(),
                        convolution.stride(),
                        convolution.stride(),
                        1,
                        1,
                        cudnnConvolutionMode.CUDNN_CROSS_CORRELATION,
                        cudnnDataType.CUDNN_DATA_FLOAT),
                doing);
        // Without the latter, 32-bit factors would be rounded to 19 bits on the way to tensor cores.
        int math = half ? cudnnMathType.CUDNN_TENSOR_OP_MATH : cudnnMathType.CUDNN_FMA_MATH;
        check(JCudnn.cudnnSetConvolutionMathType(description.windows, math), doing);
        check(
                JCudnn.cudnnSetTensor4dDescriptor(
                        description.out,
                        format,
                        type,
                        convolution.batch(),
                        convolution.outChannels(),
                        convolution.outHeight(),
                        convolution.outWidth()),
                doing);
        long[] bytes = new long[1];
        int status = JCudnn.cudnnGetConvolutionForwardWorkspaceSize(
                handle, description.in, description.weights, description.windows, description.out, ALGORITHM, bytes);
        if (status != cudnnStatus.CUDNN_STATUS_SUCCESS) {
            description.destroy();
            return Optional.empty();
        }
        description.workBytes = bytes[0];
        return Optional.of(description);
    }

    @Override
    public void convolve(Convolution convolution, long in, long weights, long out, long work, CudaContext.Stream stream) {
        context.bind();
        String doing = "convolving with cuDNN: " + convolution.label();
        Description description = description(convolution)
                .orElseThrow(() -> new CudaException(cudnnStatus.stringFor(cudnnStatus.CUDNN_STATUS_NOT_SUPPORTED), doing));
        CUstream wanted = (CUstream) stream.handle();
        if (!wanted.equals(current)) {
            check(JCudnn.cudnnSetStream(handle, new cudaStream_t(wanted)), doing);
            current = wanted;
        }
        CUdeviceptr workPointer = description.workBytes == 0 ? new CUdeviceptr() : new JCudaContext.Address(work);
        check(
                JCudnn.cudnnConvolutionForward(
                        handle,
                        ONE,
                        description.in,
                        new JCudaContext.Address(in),
                        description.weights,
                        new JCudaContext.Address(weights),
                        description.windows,
                        ALGORITHM,
                        workPointer,
                        description.workBytes,
                        ZERO,
                        description.out,
                        new JCudaContext.Address(out)),
                doing);
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            context.bind();
            described.values().forEach(description -> description.ifPresent(Description::destroy));
            check(JCudnn.cudnnDestroy(handle), "closing cuDNN");
        }
    }
}
