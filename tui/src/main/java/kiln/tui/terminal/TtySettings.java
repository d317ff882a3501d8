package kiln.tui.terminal;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/**
 * The line discipline of the process's terminal, by {@code stty}: one process to save and change it, one to restore it.
 *
 * <p>There is one controlling terminal, so there is one of these: Lanterna's constructor asks for the modes before a subclass has fields.
 */
final class TtySettings {
    static final TtySettings OF_PROCESS = new TtySettings();

    /** Every byte as it comes and signals as bytes; output keeps its newline translation, so that a stray message stays readable. */
    private static final String RAW = "-icanon -echo -isig -ixon -iexten -icrnl -inlcr -brkint -istrip min 1 time 0";

    private String saved;
    private ScreenSize size;

    private TtySettings() {}

    /** Saves the settings as they are and makes the terminal raw. */
    synchronized void enterRaw() throws IOException {
        String[] answer = shell("stty -g && stty size && stty " + RAW).strip().split("\n");
        saved = answer[0].strip();
        size = answer.length > 1 ? ScreenSize.parse(answer[1]) : null;
    }

    /** Puts the saved settings back; harmless when it was done before. */
    synchronized void restore() throws IOException {
        if (saved != null) {
            String settings = saved;
            saved = null;
            shell("stty " + settings);
        }
    }

    /** The size seen last, asked for when it is not known. */
    synchronized ScreenSize size() throws IOException {
        if (size == null) {
            size = ScreenSize.parse(shell("stty size"));
        }
        return size == null ? ScreenSize.USUAL : size;
    }

    synchronized void sizeChanged() {
        size = null;
    }

    /** Stops this program's process group as Ctrl+Z does; returns when it is continued. */
    void suspend() throws IOException {
        shell("kill -TSTP 0");
    }

    private static String shell(String command) throws IOException {
        Process process = new ProcessBuilder("/bin/sh", "-c", command)
                .redirectInput(new File("/dev/tty"))
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        String answer = new String(process.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
        try {
            if (process.waitFor() != 0 && !command.startsWith("kill")) {
                throw new IOException("the terminal does not take its settings: " + command);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return answer;
    }
}
