package kiln.tui;

import kiln.tui.cli.Cli;
import kiln.tui.cli.base.CliContext;

/** The program's entry: arguments and surroundings in, exit code out. */
public final class Main {
    private Main() {}

    public static void main(String[] args) {
        CliContext context = CliContext.ofProcess();
        context.cancellation().holdUpTheEnd();
        int exitCode = Cli.run(args, context);
        context.out().flush();
        context.err().flush();
        context.cancellation().finished();
        // Not a return: threads of native libraries must not keep the process.
        System.exit(exitCode);
    }
}
