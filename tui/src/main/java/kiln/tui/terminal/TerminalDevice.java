package kiln.tui.terminal;

import com.googlecode.lanterna.TerminalSize;
import com.googlecode.lanterna.terminal.virtual.DefaultVirtualTerminal;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Objects;
import kiln.tui.output.Canvas;
import kiln.tui.output.ColorDepth;

/**
 * The terminal in full-screen use: raw, on its alternate screen, until {@link #close()} or the end of the process, whichever way it comes.
 *
 * <p>Drawing belongs to one thread; {@link #close()} may come from any. The creator closes it.
 */
public final class TerminalDevice implements AutoCloseable {
    private final Object lock = new Object();
    private final ColorDepth depth;
    private TtyTerminal terminal;
    private CellScreen screen;
    private Runnable onResize = () -> {};
    private boolean open;

    private TerminalDevice(ColorDepth depth) {
        this.depth = depth;
    }

    /**
     * Takes over the process's terminal.
     *
     * @throws IOException when there is none or it does not take its settings
     */
    public static TerminalDevice open(ColorDepth depth) throws IOException {
        TerminalDevice device = new TerminalDevice(Objects.requireNonNull(depth, "depth"));
        device.start();
        return device;
    }

    /** Loads what {@link #open} and {@link #show} use, without touching the terminal; for an archive of loaded classes. */
    public static void loadClasses(Canvas canvas, ColorDepth depth) throws IOException {
        TerminalSize size = new TerminalSize(canvas.width(), canvas.height());
        CellScreen screen = new CellScreen(new DefaultVirtualTerminal(size), frame -> {}, depth);
        screen.startScreen();
        screen.prepare();
        screen.show(canvas);
        for (Class<?> used : new Class<?>[] {TtyTerminal.class, TtySettings.class, FrameStream.class, Modes.class, InputReader.class}) {
            try {
                Class.forName(used.getName());
            } catch (ClassNotFoundException e) {
                throw new IllegalStateException(e);
            }
        }
        InputReader.loadClasses();
    }

    private void start() throws IOException {
        terminal = new TtyTerminal(new FrameStream(new FileOutputStream(FileDescriptor.out)));
        try {
            screen = new CellScreen(terminal, terminal::writeRaw, depth);
            // After the screen's own listener: when ours is called, the screen knows the new size.
            terminal.addResizeListener((changed, size) -> onResize.run());
            screen.startScreen();
        } catch (IOException | RuntimeException e) {
            terminal.close();
            throw e;
        }
        open = true;
    }

    /** Calls {@code listener}, on a thread of the system's, when the window has another size. */
    public void onResize(Runnable listener) {
        onResize = Objects.requireNonNull(listener, "listener");
    }

    /** The size for the next canvas. */
    public ScreenSize size() {
        synchronized (lock) {
            TerminalSize size = screen.prepare();
            return new ScreenSize(Math.max(1, size.getColumns()), Math.max(1, size.getRows()));
        }
    }

    /** Brings a canvas to the screen with one write. Nothing happens after {@link #close()}. */
    public void show(Canvas canvas) throws IOException {
        synchronized (lock) {
            if (open) {
                screen.show(canvas);
            }
        }
    }

    /** The next frame draws every cell. */
    public void redrawAll() {
        synchronized (lock) {
            screen.redrawAll();
        }
    }

    /** Gives the terminal back, stops the program as Ctrl+Z does, and takes the terminal again when it is continued. */
    public void suspend() throws IOException {
        synchronized (lock) {
            if (!open) {
                return;
            }
            closeTerminal();
            TtySettings.OF_PROCESS.suspend();
            TtySettings.OF_PROCESS.sizeChanged();
            start();
        }
    }

    @Override
    public void close() throws IOException {
        synchronized (lock) {
            if (open) {
                closeTerminal();
            }
        }
    }

    private void closeTerminal() throws IOException {
        open = false;
        try {
            screen.stopScreen(false);
        } finally {
            try {
                terminal.close();
            } catch (IllegalStateException e) {
                // The process is ending: Lanterna's shutdown hook does the same work.
            }
        }
    }

    /** Collects a frame and hands it to the system in one call. */
    private static final class FrameStream extends OutputStream {
        private final OutputStream out;
        private final byte[] buffer = new byte[1 << 16];
        private int used;

        FrameStream(OutputStream out) {
            this.out = out;
        }

        @Override
        public synchronized void write(int b) throws IOException {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public synchronized void write(byte[] bytes, int offset, int length) throws IOException {
            if (used + length > buffer.length) {
                flush();
            }
            if (length > buffer.length) {
                out.write(bytes, offset, length);
                return;
            }
            System.arraycopy(bytes, offset, buffer, used, length);
            used += length;
        }

        @Override
        public synchronized void flush() throws IOException {
            int length = used;
            used = 0;
            out.write(buffer, 0, length);
        }
    }
}
