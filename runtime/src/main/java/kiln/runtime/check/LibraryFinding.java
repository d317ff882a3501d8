package kiln.runtime.check;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import kiln.kernels.Cublas;
import kiln.kernels.CudaContext;
import kiln.kernels.CudaDevices;
import kiln.kernels.CudaDriver;
import kiln.kernels.CudaException;
import kiln.kernels.Cudnn;
import kiln.kernels.LibraryException;
import kiln.kernels.SystemLibrary;
import kiln.runtime.base.DeviceOptions;
import kiln.runtime.base.LibraryChoice;
import kiln.runtime.engine.EngineOptions;
import kiln.runtime.exec.cuda.library.ProductTimes;

/**
 * One of NVIDIA's optional libraries on this machine, and what Kiln would do with it.
 *
 * @param file as the linker knows it: "libcublas.so.12"
 * @param path {@code null} when it was not found
 * @param version {@code null} when it was not found out
 * @param problem why it cannot be used, in one line; {@code null} when it can
 * @param use who computes what it could compute, and why, in one line
 */
public record LibraryFinding(String file, Path path, String version, String problem, String use) {
    public LibraryFinding {
        Objects.requireNonNull(file, "file");
        Objects.requireNonNull(use, "use");
    }

    /**
     * Loads both libraries, on the card where there is one. Never throws.
     *
     * @param device the card that would be used, {@code null} for none
     * @param nativesFolder as {@link CudaDriver#load} takes it
     * @return cuBLAS, then cuDNN
     */
    public static List<LibraryFinding> look(EngineOptions options, CudaDevices.Device device, Path nativesFolder) {
        if (device == null) {
            return List.of(
                    unused(SystemLibrary.load(SystemLibrary.CUBLAS), "matrix products"),
                    unused(SystemLibrary.load(SystemLibrary.CUDNN), "convolutions"));
        }
        return look(options, device, () -> CudaDriver.load(nativesFolder).open(device.index()));
    }

    interface Card {
        CudaContext open() throws IOException;
    }

    static List<LibraryFinding> look(EngineOptions options, CudaDevices.Device device, Card card) {
        Started cublas;
        Started cudnn;
        try (CudaContext context = card.open()) {
            cublas = start(() -> {
                try (Cublas opened = context.openCublas()) {
                    return opened.version();
                }
            });
            cudnn = start(() -> {
                try (Cudnn opened = context.openCudnn()) {
                    return opened.version();
                }
            });
        } catch (IOException | CudaException e) {
            cublas = new Started(null, e.getMessage());
            cudnn = cublas;
        }
        ProductTimes times = ProductTimes.read(ProductTimes.file(options.cacheFolder(), device));
        DeviceOptions wanted = options.device();
        String products = use("matrix products", "cuBLAS", wanted.gemm(), cublas, times.cublasProducts(), times.cublasWins(cublas.version));
        String convolutions = use("convolutions", "cuDNN", wanted.convolution(), cudnn, times.cudnnProducts(), times.cudnnWins(cudnn.version));
        return List.of(
                of(SystemLibrary.load(SystemLibrary.CUBLAS), cublas, products), of(SystemLibrary.load(SystemLibrary.CUDNN), cudnn, convolutions));
    }

    private record Started(String version, String problem) {}

    private interface Opening {
        String version() throws LibraryException;
    }

    private static Started start(Opening opening) {
        try {
            return new Started(opening.version(), null);
        } catch (LibraryException | CudaException e) {
            return new Started(null, e.getMessage());
        }
    }

    private static LibraryFinding of(SystemLibrary library, Started started, String use) {
        // What the loader said has no path in it, and stands beside one.
        String problem = started.problem != null && library.problem() != null ? library.problem() : started.problem;
        return new LibraryFinding(library.name(), library.path(), started.version, problem, use);
    }

    private static LibraryFinding unused(SystemLibrary library, String what) {
        return new LibraryFinding(library.name(), library.path(), null, library.problem(), what + ": not on a card");
    }

    private static String use(String what, String library, LibraryChoice choice, Started started, long measured, long wins) {
        String own = what + ": Kiln's own kernels";
        if (choice == LibraryChoice.PTX) {
            return own + ", as asked for";
        }
        if (started.problem != null) {
            return choice == LibraryChoice.NVIDIA ? own + ", though " + library + " was asked for" : own;
        }
        if (choice == LibraryChoice.NVIDIA) {
            return what + ": " + library + ", as asked for";
        }
        if (measured == 0) {
            return own + "; kiln bench measures whether " + library + " is faster";
        }
        return wins == 0
                ? own + ": of " + measured + " sizes that kiln bench measured, none was faster with this " + library
                : what + ": " + library + " for the " + wins + " of " + measured + " sizes where kiln bench found it faster";
    }
}
