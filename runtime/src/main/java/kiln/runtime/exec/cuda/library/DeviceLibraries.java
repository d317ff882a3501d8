package kiln.runtime.exec.cuda.library;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Consumer;
import kiln.kernels.Cublas;
import kiln.kernels.CudaContext;
import kiln.kernels.CudaContext.Stream;
import kiln.kernels.CudaException;
import kiln.kernels.Cudnn;
import kiln.kernels.LibraryException;
import kiln.kernels.op.product.Epilogue;
import kiln.runtime.base.LibraryChoice;

/**
 * NVIDIA's libraries on a card, and which products go through them: all that they can do where they were asked for; those that were faster
 * so when somebody measured; else none, and then they are not even loaded. A library that cannot be used is told of and done without.
 *
 * <p>One thread at a time. Who opens it, or the executor that it is given to, closes it before the context.
 */
public final class DeviceLibraries implements AutoCloseable {
    /** What a convolution may need beside its arguments; for more, Kiln's own kernel needs less of a small card. */
    private static final long MOST_WORK_BYTES = 64L << 20;

    private static final String CUBLAS_FAILURE = "CUBLAS_";
    private static final String CUDNN_FAILURE = "CUDNN_";

    private final LibraryChoice gemm;
    private final LibraryChoice convolution;
    private final ProductTimes times;
    private final Cublas cublas;
    private final Cudnn cudnn;
    private boolean usesCublas;
    private boolean usesCudnn;

    private DeviceLibraries(LibraryChoice gemm, LibraryChoice convolution, ProductTimes times, Cublas cublas, Cudnn cudnn) {
        this.gemm = gemm;
        this.convolution = convolution;
        this.times = times;
        this.cublas = cublas;
        this.cudnn = cudnn;
        usesCublas = cublas != null;
        usesCudnn = cudnn != null;
    }

    /** Kiln's own kernels for everything. */
    public static DeviceLibraries none() {
        return new DeviceLibraries(LibraryChoice.PTX, LibraryChoice.PTX, ProductTimes.NONE, null, null);
    }

    /**
     * Loads what is asked for or known to be faster.
     *
     * @param times as they were measured on this card
     * @param notices told in one line of a library that was asked for and cannot be used
     */
    public static DeviceLibraries open(
            CudaContext context, LibraryChoice gemm, LibraryChoice convolution, ProductTimes times, Consumer<String> notices) {
        Cublas cublas = null;
        if (isWanted(gemm, times.cublasWins(null))) {
            try {
                cublas = context.openCublas();
            } catch (LibraryException e) {
                tell(gemm, "cuBLAS", e.getMessage(), notices);
            }
        }
        Cudnn cudnn = null;
        if (isWanted(convolution, times.cudnnWins(null))) {
            try {
                cudnn = context.openCudnn();
            } catch (LibraryException e) {
                tell(convolution, "cuDNN", e.getMessage(), notices);
            }
        }
        return new DeviceLibraries(gemm, convolution, times, cublas, cudnn);
    }

    private static boolean isWanted(LibraryChoice choice, long wins) {
        return choice == LibraryChoice.NVIDIA || choice == LibraryChoice.AUTO && wins > 0;
    }

    private static void tell(LibraryChoice choice, String library, String problem, Consumer<String> notices) {
        String wanted = choice == LibraryChoice.NVIDIA ? " was asked for, but " : " was faster when it was measured, but ";
        notices.accept(library + wanted + problem + ": Kiln's own kernels are used");
    }

    /** Whether cuBLAS computes this product. */
    public boolean multiplies(Cublas.Product product, Epilogue epilogue) {
        return usesCublas
                && (gemm == LibraryChoice.NVIDIA || times.isLibraryFaster(ProductTimes.key(product.label(), epilogue), cublas.version()));
    }

    /** The work memory for cuDNN to compute this convolution; empty when it does not. */
    public OptionalLong workBytes(Cudnn.Convolution product, Epilogue epilogue) {
        if (!usesCudnn
                || convolution != LibraryChoice.NVIDIA
                        && !times.isLibraryFaster(ProductTimes.key(product.label(), epilogue), cudnn.version())) {
            return OptionalLong.empty();
        }
        OptionalLong bytes;
        try {
            bytes = cudnn.workBytes(product);
        } catch (CudaException e) {
            return OptionalLong.empty();
        }
        return bytes.isPresent() && bytes.getAsLong() <= MOST_WORK_BYTES ? bytes : OptionalLong.empty();
    }

    /** Queues a product that {@link #multiplies} took. */
    public void multiply(Cublas.Product product, long a, long weights, long out, Stream stream) {
        cublas.multiply(product, a, weights, out, stream);
    }

    /** Queues a convolution that {@link #workBytes} took. */
    public void convolve(Cudnn.Convolution product, long in, long weights, long out, long work, Stream stream) {
        cudnn.convolve(product, in, weights, out, work, stream);
    }

    /** Of cuBLAS, which is there. */
    public String cublasVersion() {
        return cublas.version();
    }

    /** Of cuDNN, which is there. */
    public String cudnnVersion() {
        return cudnn.version();
    }

    /** What is there: "cuBLAS 12.6.4", "cuDNN 8.9.7". */
    public List<String> names() {
        List<String> names = new ArrayList<>();
        if (cublas != null) {
            names.add("cuBLAS " + cublas.version());
        }
        if (cudnn != null) {
            names.add("cuDNN " + cudnn.version());
        }
        return names;
    }

    /** Whether it is a library that failed, and not the card. */
    public static boolean isOfLibrary(CudaException failure) {
        return failure.symbol().startsWith(CUBLAS_FAILURE) || failure.symbol().startsWith(CUDNN_FAILURE);
    }

    /**
     * If the failure is a library's, does without that one from the next lowering on. Told of the first time: programs that were written
     * before fail as well.
     *
     * @return whether it is
     */
    public boolean giveUp(CudaException failure, Consumer<String> notices) {
        boolean ofCublas = failure.symbol().startsWith(CUBLAS_FAILURE);
        boolean ofCudnn = failure.symbol().startsWith(CUDNN_FAILURE);
        if (usesCublas && ofCublas || usesCudnn && ofCudnn) {
            notices.accept(failure.getMessage() + ": Kiln's own kernels are used from here on");
        }
        usesCublas &= !ofCublas;
        usesCudnn &= !ofCudnn;
        return isOfLibrary(failure);
    }

    @Override
    public void close() {
        if (cublas != null) {
            cublas.close();
        }
        if (cudnn != null) {
            cudnn.close();
        }
    }
}
