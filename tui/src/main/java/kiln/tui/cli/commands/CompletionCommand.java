package kiln.tui.cli.commands;

import kiln.tui.cli.base.CliContext;
import picocli.AutoComplete;
import picocli.CommandLine;

/** {@code kiln completion}: the script that lets a shell complete Kiln's commands and options. */
@CommandLine.Command(
        name = "completion",
        description = "Print the completion script for bash and zsh.",
        footer = {"", "Use: source <(kiln completion)"})
final class CompletionCommand extends CliCommand {
    CompletionCommand(CliContext context) {
        super(context);
    }

    @Override
    public int run() {
        CommandLine root = new CommandLine(new UiCommand(context));
        for (String name : Commands.NAMES) {
            root.addSubcommand(name, new CommandLine(Commands.create(name, context)));
        }
        context.out().print(AutoComplete.bash("kiln", root));
        return 0;
    }
}
