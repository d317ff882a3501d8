package kiln.kernels;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;

/**
 * One of NVIDIA's optional libraries on this machine.
 *
 * @param name as the linker knows it: "libcublas.so.12"
 * @param path {@code null} when it was not found
 * @param problem why it cannot be used, in one line; {@code null} when it loads
 */
public record SystemLibrary(String name, Path path, String problem) {
    /** Matrix products. */
    public static final String CUBLAS = "libcublas.so.12";
    /** Convolutions. */
    public static final String CUDNN = "libcudnn.so.8";

    private static final byte[] ELF = {0x7f, 'E', 'L', 'F'};

    public SystemLibrary {
        Objects.requireNonNull(name, "name");
        if (path == null && problem == null) {
            throw new IllegalArgumentException("either a path or a problem");
        }
    }

    /** Finds the library and loads it, for as long as the process lives, with all that it needs. Never throws. Any thread. */
    public static SystemLibrary load(String name) {
        return load(name, SystemLibraries.find(name));
    }

    static SystemLibrary load(String name, Path path) {
        if (path == null) {
            return new SystemLibrary(name, null, "not found");
        }
        try {
            if (!isLibrary(path)) {
                // Java would warn on the output stream that such a file has no stack guard.
                return new SystemLibrary(name, path, "does not load: it is no shared library");
            }
            System.load(path.toString());
            return new SystemLibrary(name, path, null);
        } catch (UnsatisfiedLinkError | IOException e) {
            String message = e.getMessage() == null ? e.toString() : e.getMessage().lines().findFirst().orElse("");
            // Java begins with the path, and so does the linker.
            String reason = message.replace(path + ": ", "");
            return new SystemLibrary(name, path, "does not load: " + reason);
        }
    }

    private static boolean isLibrary(Path path) throws IOException {
        try (InputStream in = Files.newInputStream(path)) {
            return Arrays.equals(in.readNBytes(ELF.length), ELF);
        }
    }

    public boolean loads() {
        return problem == null;
    }
}
