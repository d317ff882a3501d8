package kiln.kernels;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;

/**
 * One of JCuda's libraries beside the driver's, which needs one of NVIDIA's that may be missing. Loaded once for the process, and when that
 * fails, it is remembered why: a class of JCuda that failed once never works.
 */
final class JCudaExtension {
    private final String product;
    private final String systemLibrary;
    private final String resource;
    private final String fileName;
    private final Runnable initialisation;
    private boolean loaded;
    private String problem;

    /**
     * @param product NVIDIA's name: "cuBLAS"
     * @param systemLibrary as the linker knows it
     * @param resource JCuda's native library
     * @param fileName that JCuda's loader looks for in the temporary folder
     * @param initialisation loads JCuda's class
     */
    JCudaExtension(String product, String systemLibrary, String resource, String fileName, Runnable initialisation) {
        this.product = Objects.requireNonNull(product, "product");
        this.systemLibrary = Objects.requireNonNull(systemLibrary, "systemLibrary");
        this.resource = Objects.requireNonNull(resource, "resource");
        this.fileName = Objects.requireNonNull(fileName, "fileName");
        this.initialisation = Objects.requireNonNull(initialisation, "initialisation");
    }

    /** @throws LibraryException when NVIDIA's library or JCuda's cannot be loaded; the next time as well */
    synchronized void load(Path nativesFolder) throws LibraryException {
        if (problem == null && !loaded) {
            problem = attempt(nativesFolder);
            loaded = problem == null;
        }
        if (problem != null) {
            throw new LibraryException(problem);
        }
    }

    private String attempt(Path nativesFolder) {
        SystemLibrary library = SystemLibrary.load(systemLibrary);
        if (library.path() == null) {
            return systemLibrary + " was not found";
        }
        if (!library.loads()) {
            return library.path() + " " + library.problem();
        }
        try {
            Path unpacked = NativeUnpacking.unpack(resource, nativesFolder.toAbsolutePath(), fileName);
            // Its linker's message is plain; what JCuda makes of it has fifty lines.
            System.load(unpacked.toString());
            JCudaLibrary.withTemporaryFolder(unpacked.getParent(), initialisation);
            return null;
        } catch (IOException | LinkageError | RuntimeException e) {
            String message = e.getMessage() == null ? e.toString() : e.getMessage().lines().findFirst().orElse("");
            return "JCuda's library for " + product + " does not load: " + message;
        }
    }
}
