package kiln.tui;

import kiln.tui.cli.Cli;
import kiln.tui.cli.CliContext;

/** The program's entry: arguments and surroundings in, exit code out. */
public final class Main {
    private Main() {}

    public static void main(String[] args) {
        CliContext context = CliContext.ofProcess();
        int exitCode;
        try {
            exitCode = Cli.run(args, context);
        } catch (StackOverflowError | OutOfMemoryError e) {
            context.err().println("kiln: Java ran out of memory: " + e.getMessage());
            exitCode = 6;
        }
        context.out().flush();
        context.err().flush();
        // Not a return: threads of native libraries must not keep the process.
        System.exit(exitCode);
    }
}
