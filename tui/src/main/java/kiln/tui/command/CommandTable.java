package kiln.tui.command;

import java.util.List;
import kiln.tui.input.InputEvent.Key;

/** All commands: the one place that knows keys. Keys, hint line and help are read from it. */
public final class CommandTable<T> {
    private final List<Command<T>> commands;

    public CommandTable(List<Command<T>> commands) {
        this.commands = List.copyOf(commands);
    }

    public List<Command<T>> all() {
        return commands;
    }

    /** The first command with this key that counts now, or {@code null}. */
    public Command<T> find(Key key, T state) {
        for (Command<T> command : commands) {
            if (command.keys().contains(key) && command.context().test(state)) {
                return command;
            }
        }
        return null;
    }

    /** What the hint line may show now, in the table's order. */
    public List<Command<T>> hints(T state) {
        return commands.stream().filter(c -> !c.title().isEmpty() && c.context().test(state)).toList();
    }
}
