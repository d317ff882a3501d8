package kiln.kernels;

import java.nio.file.Path;
import jcuda.Pointer;
import jcuda.cudaDataType;
import jcuda.driver.CUstream;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasComputeType;
import jcuda.jcublas.cublasGemmAlgo;
import jcuda.jcublas.cublasHandle;
import jcuda.jcublas.cublasMath;
import jcuda.jcublas.cublasOperation;
import jcuda.jcublas.cublasStatus;
import jcuda.runtime.cudaStream_t;

/** {@link Cublas} on JCublas. Nothing else touches JCublas, and this class is touched only when cuBLAS is there. */
final class JCudaCublas implements Cublas {
    private static final JCudaExtension EXTENSION = new JCudaExtension(
            "cuBLAS",
            SystemLibrary.CUBLAS,
            "/lib/libJCublas2-12.6.0-linux-x86_64.so",
            "libJCublas2-12.6.0-linux-x86_64.so",
            JCublas2::initialize);
    private static final int OLDEST = 120_000;
    /** As NVIDIA recommends; the larger one from Hopper on. */
    private static final long WORK_BYTES = 4L << 20;

    private static final long HOPPER_WORK_BYTES = 32L << 20;
    private static final int HOPPER = 9;

    /** No sums of halves where a long product is split; and none of 32-bit factors that were rounded to 19 bits, which is the default. */
    private static final int MATH = cublasMath.CUBLAS_DEFAULT_MATH | cublasMath.CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION;

    private static final Pointer ONE = Pointer.to(new float[] {1});
    private static final Pointer ZERO = Pointer.to(new float[] {0});

    private final JCudaContext context;
    private final cublasHandle handle = new cublasHandle();
    private final String version;
    private final long work;
    private final long workBytes;
    private CUstream current;
    private boolean closed;

    private JCudaCublas(JCudaContext context) throws LibraryException {
        this.context = context;
        context.bind();
        int status = JCublas2.cublasCreate(handle);
        if (status != cublasStatus.CUBLAS_STATUS_SUCCESS) {
            throw new LibraryException("cuBLAS does not start on this card: " + cublasStatus.stringFor(status));
        }
        try {
            int[] number = new int[1];
            check(JCublas2.cublasGetVersion(handle, number), "asking for cuBLAS' version");
            version = number[0] / 10_000 + "." + number[0] / 100 % 100 + "." + number[0] % 100;
            if (number[0] < OLDEST) {
                throw new LibraryException("cuBLAS " + version + " is too old: 12.0 or newer is needed");
            }
            check(JCublas2.cublasSetMathMode(handle, MATH), "setting cuBLAS up");
            workBytes = context.device().major() >= HOPPER ? HOPPER_WORK_BYTES : WORK_BYTES;
            work = context.allocate(workBytes, "cuBLAS");
        } catch (LibraryException | RuntimeException e) {
            JCublas2.cublasDestroy(handle);
            throw e;
        }
    }

    /** @throws LibraryException when cuBLAS is missing, broken or too old, or does not start */
    static Cublas open(JCudaContext context, Path nativesFolder) throws LibraryException {
        EXTENSION.load(nativesFolder);
        try {
            return new JCudaCublas(context);
        } catch (CudaException e) {
            throw new LibraryException("cuBLAS does not start on this card: " + e.getMessage());
        }
    }

    private static void check(int status, String doing) {
        if (status != cublasStatus.CUBLAS_STATUS_SUCCESS) {
            throw new CudaException(cublasStatus.stringFor(status), doing);
        }
    }

    @Override
    public String version() {
        return version;
    }

    /** Columns are what cuBLAS calls rows: it computes the transposed result, w · aᵀ, whose columns are our rows. */
    @Override
    public void multiply(Product product, long a, long weights, long out, CudaContext.Stream stream) {
        context.bind();
        String doing = "multiplying with cuBLAS: " + product.label();
        useStream((CUstream) stream.handle(), doing);
        int type = product.type() == DataType.F16 ? cudaDataType.CUDA_R_16F : cudaDataType.CUDA_R_32F;
        check(
                JCublas2.cublasGemmEx_new(
                        handle,
                        cublasOperation.CUBLAS_OP_T,
                        cublasOperation.CUBLAS_OP_N,
                        product.columns(),
                        product.rows(),
                        product.channels(),
                        ONE,
                        new JCudaContext.Address(weights),
                        type,
                        product.channels(),
                        new JCudaContext.Address(a),
                        type,
                        product.channels(),
                        ZERO,
                        new JCudaContext.Address(out),
                        type,
                        product.columns(),
                        cublasComputeType.CUBLAS_COMPUTE_32F,
                        cublasGemmAlgo.CUBLAS_GEMM_DEFAULT),
                doing);
    }

    private void useStream(CUstream stream, String doing) {
        if (!stream.equals(current)) {
            check(JCublas2.cublasSetStream(handle, new cudaStream_t(stream)), doing);
            // Another stream takes the work memory away; without it cuBLAS would allocate its own.
            check(JCublas2.cublasSetWorkspace(handle, new JCudaContext.Address(work), workBytes), doing);
            current = stream;
        }
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            context.bind();
            check(JCublas2.cublasDestroy(handle), "closing cuBLAS");
            context.free(work);
        }
    }
}
