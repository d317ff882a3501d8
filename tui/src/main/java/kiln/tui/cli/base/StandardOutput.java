package kiln.tui.cli.base;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;

/**
 * Standard output that remembers why it failed. {@link java.io.PrintStream} above it swallows errors, but a full disk must be told and a
 * closed pipe must end the program without a word.
 */
public final class StandardOutput extends OutputStream {
    private final OutputStream out;
    private volatile IOException failure;

    public StandardOutput(OutputStream out) {
        this.out = new BufferedOutputStream(out, 1 << 14);
    }

    /** The first error, or {@code null}. */
    public IOException failure() {
        return failure;
    }

    @Override
    public void write(int b) throws IOException {
        write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
        try {
            out.write(bytes, offset, length);
        } catch (IOException e) {
            throw remember(e);
        }
    }

    @Override
    public void flush() throws IOException {
        try {
            out.flush();
        } catch (IOException e) {
            throw remember(e);
        }
    }

    private IOException remember(IOException e) {
        if (failure == null) {
            failure = e;
        }
        return e;
    }
}
