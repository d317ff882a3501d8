package kiln.tui.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.NearestName;
import kiln.runtime.base.Version;
import kiln.runtime.text.ShellWords;
import kiln.tui.cli.base.CliContext;
import kiln.tui.cli.base.Failures;
import kiln.tui.cli.base.Json;
import kiln.tui.cli.commands.CliCommand;
import kiln.tui.cli.commands.Commands;
import kiln.tui.cli.options.ComputeOptions;
import picocli.CommandLine;
import picocli.CommandLine.Help;
import picocli.CommandLine.Model.OptionSpec;

/**
 * The command line: finds the command among the arguments, parses its options, runs it and turns whatever happens into an exit code and
 * at most one line on the error stream, which is JSON with {@code --json}.
 *
 * <p>Only the command that is asked for is built: picocli reads annotations by reflection, which for all of them takes longer than the
 * rest of the start.
 */
public final class Cli {
    private static final int SUCCESS = 0;
    /** What a shell reports for a program that SIGPIPE ended. */
    private static final int CLOSED_PIPE = 141;

    private final CliContext context;
    /** Whether a program reads what is written, failures too. */
    private boolean json;
    private final ForeignFlags foreignFlags = new ForeignFlags();

    private Cli(CliContext context) {
        this.context = context;
    }

    /** Runs one command. Never throws and never ends the process. */
    public static int run(String[] arguments, CliContext context) {
        Cli cli = new Cli(context);
        int exitCode;
        try {
            exitCode = cli.run(List.of(arguments));
        } catch (RuntimeException | LinkageError | VirtualMachineError e) {
            exitCode = cli.failed(e);
        }
        context.out().flush();
        return cli.checkOutput(exitCode);
    }

    private int run(List<String> given) {
        if (given.size() == 1 && isVersionFlag(given.get(0))) {
            context.out().println("kiln " + Version.TEXT);
            return SUCCESS;
        }
        if (given.size() == 1 && given.get(0).equals("--warm-up")) {
            return WarmUp.run(context);
        }
        List<String> arguments = withEnvironment(given);
        json = options(arguments).contains("--json");
        CommandLine ui = commandLine(Commands.create(null, context));
        Arranged arranged = Arranged.of(arguments, ui.getCommandSpec());
        String name = arranged.command();
        if (name == null || name.equals("help")) {
            boolean help = name != null || asksForHelp(arranged.arguments());
            String topic = name == null ? null : arranged.arguments().stream().filter(a -> !a.startsWith("-")).findFirst().orElse(null);
            if (help) {
                return help(topic);
            }
            if (arranged.arguments().stream().anyMatch(Cli::isVersionFlag)) {
                context.out().println("kiln " + Version.TEXT);
                return SUCCESS;
            }
            return execute(ui, arranged.arguments());
        }
        if (!Commands.NAMES.contains(name)) {
            throw KilnException.badRequest(
                    "unknown command '" + name + "'" + NearestName.hint(name, Commands.NAMES) + " (kiln --help lists them)");
        }
        CommandLine command = commandLine(Commands.create(name, context));
        if (asksForHelp(arranged.arguments())) {
            return help(name);
        }
        return execute(command, arranged.arguments());
    }

    private static boolean isVersionFlag(String argument) {
        return argument.equals("--version") || argument.equals("-V");
    }

    private static boolean asksForHelp(List<String> arguments) {
        List<String> options = options(arguments);
        return options.contains("--help") || options.contains("-h");
    }

    private static List<String> options(List<String> arguments) {
        int end = arguments.indexOf("--");
        return end < 0 ? arguments : arguments.subList(0, end);
    }

    /** A1111 appends the words of COMMANDLINE_ARGS to the arguments; here they come before a "--" that ends the options. */
    private List<String> withEnvironment(List<String> given) {
        String more = context.variable("COMMANDLINE_ARGS");
        if (more == null) {
            return given;
        }
        List<String> all = new ArrayList<>(given);
        int end = all.indexOf("--");
        all.addAll(end < 0 ? all.size() : end, ShellWords.split(more, "COMMANDLINE_ARGS"));
        return all;
    }

    private CommandLine commandLine(CliCommand command) {
        CommandLine commandLine = new CommandLine(command);
        foreignFlags.addTo(commandLine.getCommandSpec());
        configure(commandLine);
        return commandLine;
    }

    private void configure(CommandLine commandLine) {
        commandLine.setExpandAtFiles(false); // a prompt may begin with @
        commandLine.setOverwrittenOptionsAllowed(true); // the last one counts, as in A1111
        commandLine.setCaseInsensitiveEnumValuesAllowed(true);
        commandLine.setUsageHelpWidth(Math.max(60, Math.min(110, context.columns())));
        commandLine.setOut(new PrintWriter(context.out(), true));
        commandLine.setErr(new PrintWriter(context.err(), true));
        commandLine.setColorScheme(Help.defaultColorScheme(context.outIsTty() && context.colour() ? Help.Ansi.ON : Help.Ansi.OFF));
        if (context.variable("IGNORE_CMD_ARGS_ERRORS") != null) {
            commandLine.setUnmatchedArgumentsAllowed(true);
        }
        commandLine.getCommandSpec().usageMessage().abbreviateSynopsis(true);
        if (commandLine.getParent() == null && !commandLine.getCommandName().equals("kiln")) {
            commandLine.setCommandName("kiln " + commandLine.getCommandName());
        }
    }

    private int help(String topic) {
        CommandLine root = commandLine(Commands.create(null, context));
        if (topic == null) {
            for (String name : Commands.NAMES) {
                CommandLine command = new CommandLine(Commands.create(name, context));
                root.addSubcommand(name, command);
            }
            configure(root);
            root.usage(context.out());
            return SUCCESS;
        }
        if (!Commands.NAMES.contains(topic)) {
            throw KilnException.badRequest("unknown command '" + topic + "'" + NearestName.hint(topic, Commands.NAMES));
        }
        CliCommand command = Commands.create(topic, context);
        CommandLine commandLine = commandLine(command);
        List<String> footer = command.helpFooter();
        if (!footer.isEmpty()) {
            commandLine.getCommandSpec().usageMessage().footer(footer.toArray(new String[0]));
        }
        commandLine.usage(context.out());
        return SUCCESS;
    }

    private int execute(CommandLine commandLine, List<String> arguments) {
        CliCommand command = commandLine.getCommand();
        try {
            commandLine.parseArgs(RepeatedOptions.lastOnly(arguments, commandLine.getCommandSpec()).toArray(new String[0]));
        } catch (CommandLine.ParameterException e) {
            throw KilnException.badRequest(UsageErrors.line(e));
        }
        List<String> notes = new ArrayList<>();
        commandLine.getUnmatchedArguments().forEach(unknown -> notes.add("ignored: " + unknown));
        notes.addAll(foreignFlags.notes());
        command.accept(notes);
        return command.run();
    }

    private int failed(Throwable e) {
        KilnException error = Failures.of(e);
        if (error.category() == KilnException.Category.CANCELLED) {
            context.err().println("kiln: cancelled");
        } else if (json) {
            Json.print(context.err(), out -> {
                out.writeStartObject();
                out.writeObjectFieldStart("error");
                out.writeStringField("category", error.category().name().toLowerCase(Locale.ROOT));
                out.writeStringField("message", error.getMessage());
                out.writeEndObject();
                out.writeEndObject();
            });
        } else {
            context.err().println("kiln: " + error.getMessage());
        }
        if (context.variable("KILN_DEBUG") != null) {
            e.printStackTrace(context.err());
        } else if (error.category() == KilnException.Category.INTERNAL) {
            context.err().println("kiln: start it again with KILN_DEBUG=1 to see where this comes from");
        }
        return error.category().exitCode();
    }

    /** A command's output may have been lost without anybody noticing. */
    private int checkOutput(int exitCode) {
        if (!context.out().checkError()) {
            return exitCode;
        }
        IOException failure = context.outputError().get();
        String reason = failure == null || failure.getMessage() == null ? "" : failure.getMessage();
        if (reason.contains("Broken pipe")) {
            return exitCode == SUCCESS ? CLOSED_PIPE : exitCode;
        }
        context.err().println("kiln: cannot write the output: " + reason);
        return KilnException.Category.STORAGE.exitCode();
    }

    /** The arguments with the command's name taken out, so that options may stand before it and after it. */
    record Arranged(String command, List<String> arguments) {
        static Arranged of(List<String> given, CommandLine.Model.CommandSpec root) {
            List<String> rest = new ArrayList<>();
            String command = null;
            boolean valueFollows = false;
            for (int i = 0; i < given.size(); i++) {
                String argument = given.get(i);
                if (valueFollows) {
                    rest.add(argument);
                    valueFollows = false;
                } else if (argument.equals("--")) {
                    rest.addAll(given.subList(i, given.size()));
                    break;
                } else if (argument.equals("--use-cpu")) {
                    // It takes as many words as follow and mean something: joined, they cannot be taken for a command's own arguments.
                    List<String> parts = new ArrayList<>();
                    while (i + 1 < given.size() && ComputeOptions.isCpuPart(given.get(i + 1))) {
                        parts.add(given.get(++i));
                    }
                    rest.add(argument + "=" + String.join(",", parts));
                } else if (argument.startsWith("-") && argument.length() > 1) {
                    rest.add(argument);
                    OptionSpec option = root.findOption(argument);
                    valueFollows = command == null && option != null && option.arity().min() > 0;
                } else if (command == null) {
                    command = argument;
                } else {
                    rest.add(argument);
                }
            }
            return new Arranged(command, rest);
        }
    }
}
