package kiln.kernels;

import java.util.Objects;

/** One of NVIDIA's optional libraries that cannot be used here, and why, in one line: "libcublas.so.12 was not found". */
public final class LibraryException extends Exception {
    public LibraryException(String message) {
        super(Objects.requireNonNull(message, "message"));
    }
}
