package kiln.kernels;

import java.util.Locale;
import java.util.Objects;

/** A call that the CUDA driver refused: its symbolic name ({@code CUDA_ERROR_OUT_OF_MEMORY}) and what Kiln was doing. */
public final class CudaException extends RuntimeException {
    private static final String OUT_OF_MEMORY = "CUDA_ERROR_OUT_OF_MEMORY";

    private final String symbol;

    /** @param doing as it stands behind "while": "loading the kernel gemm" */
    public CudaException(String symbol, String doing) {
        this(symbol, doing, null);
    }

    /** @param detail what more is known, in one line; {@code null} when nothing is */
    public CudaException(String symbol, String doing, String detail) {
        super(Objects.requireNonNull(symbol, "symbol") + " while " + Objects.requireNonNull(doing, "doing") + (detail == null ? "" : ": " + detail));
        this.symbol = symbol;
    }

    /** A reservation of device memory that was refused. */
    public static CudaException reserving(String symbol, long bytes, String purpose, long freeBytes) {
        return new CudaException(symbol, "reserving " + mebibytes(bytes) + " for " + purpose, mebibytes(freeBytes) + " are free");
    }

    /** A reservation of pinned host memory that was refused. */
    public static CudaException reservingPinned(String symbol, long bytes, String purpose) {
        return new CudaException(symbol, "reserving " + mebibytes(bytes) + " of pinned host memory for " + purpose);
    }

    private static String mebibytes(long bytes) {
        return String.format(Locale.ROOT, "%.1f MiB", bytes / (double) (1 << 20));
    }

    public String symbol() {
        return symbol;
    }

    public boolean isOutOfMemory() {
        return symbol.equals(OUT_OF_MEMORY);
    }
}
