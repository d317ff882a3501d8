package kiln.tui.terminal;

import com.googlecode.lanterna.TerminalSize;
import com.googlecode.lanterna.terminal.ansi.UnixLikeTerminal.CtrlCBehaviour;
import com.googlecode.lanterna.terminal.ansi.UnixTerminal;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/**
 * Lanterna's Unix terminal with two {@code stty} calls instead of six, sizes without cursor reports, and no reading: input is ours.
 *
 * <p>Lanterna's shutdown hook restores the terminal when the process ends by a signal.
 */
final class TtyTerminal extends UnixTerminal {
    private final Object frameLock = new Object();
    private boolean left;

    TtyTerminal(OutputStream output) throws IOException {
        super(InputStream.nullInputStream(), output, StandardCharsets.UTF_8, CtrlCBehaviour.TRAP);
    }

    @Override
    protected void saveTerminalSettings() throws IOException {
        TtySettings.OF_PROCESS.enterRaw();
    }

    @Override
    protected void restoreTerminalSettings() throws IOException {
        TtySettings.OF_PROCESS.restore();
    }

    // Done by the one call above.
    @Override
    protected void keyEchoEnabled(boolean enabled) {}

    @Override
    protected void canonicalMode(boolean enabled) {}

    @Override
    protected void keyStrokeSignalsEnabled(boolean enabled) {}

    @Override
    protected void registerTerminalResizeListener(Runnable onResize) throws IOException {
        super.registerTerminalResizeListener(() -> {
            TtySettings.OF_PROCESS.sizeChanged();
            onResize.run();
        });
    }

    @Override
    protected TerminalSize findTerminalSize() throws IOException {
        ScreenSize size = TtySettings.OF_PROCESS.size();
        return new TerminalSize(size.columns(), size.rows());
    }

    @Override
    public void enterPrivateMode() throws IOException {
        super.enterPrivateMode();
        writeRaw(Modes.ENTER.getBytes(StandardCharsets.US_ASCII));
    }

    @Override
    public void exitPrivateMode() throws IOException {
        synchronized (frameLock) {
            left = true;
            writeToTerminal(Modes.LEAVE.getBytes(StandardCharsets.US_ASCII));
            super.exitPrivateMode();
            flush();
        }
    }

    /** Writes and flushes bytes that Lanterna need not know of; nothing once the screen was left, as by the shutdown hook. */
    void writeRaw(byte[] bytes) throws IOException {
        synchronized (frameLock) {
            if (!left) {
                writeToTerminal(bytes);
                flush();
            }
        }
    }
}
