package kiln.tui.cli;

import java.io.OutputStream;
import java.io.PrintStream;
import java.util.List;
import kiln.tui.view.TerminalUi;

/**
 * Loads the classes of a usual start and ends: the start script lets Java archive what was loaded, and later starts read the archive.
 * Nothing is written and no device is touched.
 */
final class WarmUp {
    private static final List<String[]> STARTS = List.of(
            new String[] {"--help"},
            new String[] {"version", "--json"},
            new String[] {"txt2img", "--help"},
            new String[] {"txt2img", "-p", "warm-up", "--steps", "0"});

    private WarmUp() {}

    static int run(CliContext context) {
        PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream());
        CliContext silent = new CliContext(
                context.in(), nowhere, () -> null, nowhere, false, false, false, context.columns(), context.environment(), context.home());
        for (String[] start : STARTS) {
            Cli.run(start, silent);
        }
        TerminalUi.loadClasses();
        return 0;
    }
}
