package kiln.tui.cli;

import java.util.List;

/** Every command by name, in the order of the help. */
final class Commands {
    static final List<String> NAMES = List.of("txt2img", "version");

    private Commands() {}

    /** The command of that name; {@code null} stands for the terminal UI. */
    static Command create(String name, CliContext context) {
        if (name == null) {
            return new UiCommand(context);
        }
        switch (name) {
            case "txt2img":
                return new Txt2imgCommand(context);
            case "version":
                return new VersionCommand(context);
            default:
                throw new IllegalArgumentException(name);
        }
    }
}
