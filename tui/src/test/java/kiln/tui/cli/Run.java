package kiln.tui.cli;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import kiln.tui.cli.base.Cancellation;
import kiln.tui.cli.base.CliContext;
import kiln.tui.cli.base.StandardOutput;

/** One run of the command line in this process, with everything it wrote. */
public record Run(int exitCode, String out, String err) {
    /** Outlives a test: native libraries are unpacked into it once a process. */
    public static final Path CACHE = Path.of("target/test-cache").toAbsolutePath();

    /** A run's surroundings, to be changed before {@link #kiln}. All of Kiln's folders but the cache are below one. */
    public static final class Setup {
        private final Map<String, String> environment = new TreeMap<>();
        private byte[] in = new byte[0];
        private boolean tty;
        private final Cancellation cancellation = new Cancellation();
        private Path home;

        private Setup(Path folder) {
            environment.put("HOME", folder.toString());
            environment.put("XDG_CACHE_HOME", CACHE.toString());
        }

        public Setup variable(String name, String value) {
            environment.put(name, value);
            return this;
        }

        public Setup in(String text) {
            in = text.getBytes(StandardCharsets.UTF_8);
            return this;
        }

        public Setup tty() {
            tty = true;
            return this;
        }

        /** With the bundled demo model. */
        public Setup demo() {
            home = Path.of("..").toAbsolutePath().normalize();
            return this;
        }

        /** How this run is cancelled. */
        Cancellation cancellation() {
            return cancellation;
        }

        public CliContext context(PrintStream out, PrintStream err) {
            return new CliContext(new ByteArrayInputStream(in), out, () -> null, err, tty, tty, tty, 80, environment, cancellation, home);
        }

        public Run kiln(String... arguments) {
            return kilnWithErrors(new ByteArrayOutputStream(), arguments);
        }

        /** A run whose error stream is {@code err}. */
        Run kilnWithErrors(ByteArrayOutputStream err, String... arguments) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            int exitCode = Cli.run(arguments, context(stream(out), stream(err)));
            return new Run(exitCode, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
        }

        /** A run whose output goes nowhere because of {@code failure}; gives the exit code and what the error stream got. */
        Run kilnWithBrokenOutput(IOException failure, String... arguments) {
            StandardOutput broken = new StandardOutput(new OutputStream() {
                @Override
                public void write(int b) throws IOException {
                    throw failure;
                }
            });
            ByteArrayOutputStream err = new ByteArrayOutputStream();
            CliContext context = new CliContext(
                    new ByteArrayInputStream(in), stream(broken), broken::failure, stream(err), false, false, false, 80, environment, cancellation, home);
            return new Run(Cli.run(arguments, context), "", err.toString(StandardCharsets.UTF_8));
        }

        private static PrintStream stream(OutputStream out) {
            return new PrintStream(out, true, StandardCharsets.UTF_8);
        }
    }

    public static Setup in(Path folder) {
        return new Setup(folder);
    }
}
