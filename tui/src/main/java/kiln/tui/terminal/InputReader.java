package kiln.tui.terminal;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Objects;
import java.util.function.Consumer;
import kiln.tui.input.InputEvent;
import kiln.tui.input.InputTokenizer;

/** Reads the terminal on a thread of its own and hands out events there. */
public final class InputReader {
    /** How long a lone ESC may be the beginning of a sequence; networks cut sequences in two. */
    private static final int ESCAPE_MILLISECONDS = 50;

    private static final int POLL_MILLISECONDS = 5;

    private final InputStream in;
    private final InputTokenizer tokenizer;
    private final Runnable onEnd;

    private InputReader(InputStream in, Consumer<InputEvent> sink, Runnable onEnd) {
        this.in = in;
        this.onEnd = onEnd;
        tokenizer = new InputTokenizer(sink);
    }

    /** Starts reading the process's input; {@code onEnd} is called when there is no more, as after a lost connection. */
    public static void start(Consumer<InputEvent> sink, Runnable onEnd) {
        Objects.requireNonNull(sink, "sink");
        Objects.requireNonNull(onEnd, "onEnd");
        InputReader reader = new InputReader(new FileInputStream(FileDescriptor.in), sink, onEnd);
        Thread thread = new Thread(reader::run, "kiln-input");
        thread.setDaemon(true);
        thread.start();
    }

    /** Lets an archive of loaded classes have those of input. */
    static void loadClasses() {
        new InputReader(InputStream.nullInputStream(), event -> {}, () -> {}).run();
        byte[] keys = {'a', 0x1b, '[', 'A'};
        new InputTokenizer(event -> {}).feed(keys, 0, keys.length);
    }

    private void run() {
        byte[] buffer = new byte[1 << 14];
        try {
            while (true) {
                if (tokenizer.isEscapePending() && !moreSoon()) {
                    tokenizer.escapeTimeout();
                    continue;
                }
                int read = in.read(buffer);
                if (read < 0) {
                    break;
                }
                tokenizer.feed(buffer, 0, read);
            }
        } catch (IOException e) {
            // The terminal is gone: the same as its end.
        }
        onEnd.run();
    }

    private boolean moreSoon() throws IOException {
        long end = System.nanoTime() + ESCAPE_MILLISECONDS * 1_000_000L;
        while (in.available() == 0) {
            if (System.nanoTime() >= end) {
                return false;
            }
            try {
                Thread.sleep(POLL_MILLISECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return false;
            }
        }
        return true;
    }
}
