package kiln.kernels;

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

    public String symbol() {
        return symbol;
    }

    public boolean isOutOfMemory() {
        return symbol.equals(OUT_OF_MEMORY);
    }
}
