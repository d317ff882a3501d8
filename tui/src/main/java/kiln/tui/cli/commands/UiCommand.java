package kiln.tui.cli.commands;

import java.util.ArrayList;
import java.util.List;
import kiln.runtime.base.KilnException;
import kiln.runtime.engine.Engine;
import kiln.runtime.engine.LastParameters;
import kiln.tui.cli.base.CliContext;
import kiln.tui.cli.options.DeviceFlags;
import kiln.tui.cli.options.Places;
import kiln.tui.view.TerminalUi;
import kiln.tui.view.UiOptions;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;

/** {@code kiln} without a command: the terminal UI. */
@CommandLine.Command(
        name = "kiln",
        description = "Stable Diffusion in a terminal. Without a command it opens the terminal UI.",
        synopsisHeading = "Usage: ",
        customSynopsis = {"kiln [OPTION]...", "       kiln COMMAND [OPTION]..."},
        commandListHeading = "%nCommands (kiln COMMAND --help says more):%n",
        optionListHeading = "%nOptions:%n",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:done",
            "2:wrong arguments or a value that is not possible",
            "3:a file or a program was not found",
            "4:a file is damaged",
            "5:the model or the file's format is not supported",
            "6:not enough memory",
            "7:a file or folder cannot be written or read",
            "8:the device or its driver failed",
            "70:an error in Kiln itself",
            "130:cancelled",
            "141:nobody reads the output any more"
        },
        footer = {
            "",
            "A1111's other flags are accepted, on the command line and in COMMANDLINE_ARGS; those without effect say so.",
            "Variables: COMMANDLINE_ARGS, IGNORE_CMD_ARGS_ERRORS, NO_COLOR, KILN_DEBUG, KILN_JAVA_OPTS and the KILN_..._DIR above."
        })
final class UiCommand extends CliCommand {
    @ArgGroup(validate = false, heading = "%nGraphics card:%n", order = 80)
    DeviceFlags device = new DeviceFlags();

    @CommandLine.Option(names = {"-V", "--version"}, description = "Show the version.")
    boolean version;

    /** Lines for the screen: what is written to the error stream would disappear behind it. */
    private List<String> notes = List.of();

    UiCommand(CliContext context) {
        super(context);
    }

    @Override
    public void accept(List<String> lines) {
        notes = List.copyOf(lines);
    }

    @Override
    public int run() {
        if (!context.inIsTty() || !context.outIsTty()) {
            throw KilnException.badRequest("the terminal UI needs a terminal for input and output: use kiln txt2img -p PROMPT in scripts");
        }
        if ("dumb".equals(context.variable("TERM"))) {
            throw KilnException.badRequest("the terminal UI needs a terminal that can move its cursor, and TERM=dumb says that this one cannot:"
                    + " use kiln txt2img -p PROMPT");
        }
        List<String> lines = new ArrayList<>(notes);
        Places places = global.places(context, lines::add);
        try (Engine engine = new Engine(global.engineOptions(places, places.webUi().txt2imgFolder(), device))) {
            UiOptions options = UiOptions.of(engine, context.environment(), places.state())
                    .withDefaults(places.webUi().requestDefaults("txt2img"), new LastParameters(places.parametersFile()))
                    .withNotes(lines);
            return TerminalUi.run(engine, options);
        }
    }
}
