package kiln.tui.cli.base;

import java.io.BufferedInputStream;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;

/**
 * What a command sees of the process: its streams, which of them are terminals, and the environment. Tests make their own.
 *
 * @param inIsTty whether a person types at {@code in}
 * @param columns width of the terminal behind {@code err}
 * @param outputError why {@code out} failed, {@code null} while it works
 * @param cancellation how a signal reaches the command
 * @param home Kiln's own folder, {@code null} when it was started without its script
 */
public record CliContext(
        InputStream in,
        PrintStream out,
        Supplier<IOException> outputError,
        PrintStream err,
        boolean inIsTty,
        boolean outIsTty,
        boolean errIsTty,
        int columns,
        Map<String, String> environment,
        Cancellation cancellation,
        Path home) {
    private static final int USUAL_COLUMNS = 80;

    public CliContext {
        Objects.requireNonNull(in, "in");
        Objects.requireNonNull(out, "out");
        Objects.requireNonNull(err, "err");
        Objects.requireNonNull(cancellation, "cancellation");
        environment = Map.copyOf(environment);
    }

    /** This process as the start script describes it in system properties: Java 17 cannot ask by itself which streams are terminals. */
    public static CliContext ofProcess() {
        String tty = System.getProperty("kiln.tty", System.console() != null ? "012" : "");
        String home = System.getProperty("kiln.home");
        StandardOutput out = new StandardOutput(new FileOutputStream(FileDescriptor.out));
        // UTF-8 whatever the locale: other programs read this output.
        return new CliContext(
                // Java 17 asks a file stream for its position to read all of it, which fails on a pipe.
                new BufferedInputStream(new FileInputStream(FileDescriptor.in)),
                new PrintStream(out, true, StandardCharsets.UTF_8),
                out::failure,
                new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8),
                tty.contains("0"),
                tty.contains("1"),
                tty.contains("2"),
                columnsOf(System.getProperty("kiln.columns", "")),
                System.getenv(),
                new Cancellation(),
                home == null ? null : Path.of(home));
    }

    private static int columnsOf(String text) {
        try {
            int columns = Integer.parseInt(text.strip());
            return columns >= 20 ? columns : USUAL_COLUMNS;
        } catch (NumberFormatException e) {
            return USUAL_COLUMNS;
        }
    }

    /** An environment variable that is set and not empty, or {@code null}. */
    public String variable(String name) {
        String value = environment.get(name);
        return value == null || value.isEmpty() ? null : value;
    }

    /** Whether text may be coloured on a terminal. */
    public boolean colour() {
        return variable("NO_COLOR") == null && !"dumb".equals(variable("TERM"));
    }
}
