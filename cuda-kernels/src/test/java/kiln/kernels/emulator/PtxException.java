package kiln.kernels.emulator;

/** PTX text that the emulator cannot take: a syntax error, or something it does not know. The message begins with the line. */
public final class PtxException extends RuntimeException {
    private final int line;

    PtxException(int line, String message) {
        super("PTX line " + line + ": " + message);
        this.line = line;
    }

    /** The line of the text, from 1. */
    public int line() {
        return line;
    }
}
