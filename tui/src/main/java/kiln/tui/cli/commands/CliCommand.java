package kiln.tui.cli.commands;

import java.util.List;
import java.util.Objects;
import kiln.tui.cli.base.CliContext;
import kiln.tui.cli.options.GlobalOptions;
import picocli.CommandLine.Mixin;

/** One of Kiln's commands: options in fields that picocli fills, {@link #run()} does the work. Used once. */
public abstract class CliCommand {
    final CliContext context;

    @Mixin
    GlobalOptions global = new GlobalOptions();

    CliCommand(CliContext context) {
        this.context = Objects.requireNonNull(context, "context");
    }

    /** What stands below the options in the help, for what is known only at run time. */
    public List<String> helpFooter() {
        return List.of();
    }

    /** Told before {@link #run} which options were given in vain, a line each. */
    public void accept(List<String> notes) {
        notes.forEach(note -> context.err().println("kiln: " + note));
    }

    /** @return the exit code; failures are thrown */
    public abstract int run();
}
