package kiln.tui.command;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Predicate;
import kiln.tui.input.InputEvent.Key;

/**
 * Something that a person can do.
 *
 * @param id for key maps, stable: where it counts, a dot, and a name
 * @param title one or two words, for the hint line; empty keeps it out of there
 * @param help what it does, for the overview of keys
 * @param keys the first is the one that is shown
 * @param context where its keys count
 * @param <T> what it acts on
 */
public record Command<T>(String id, String title, String help, List<Key> keys, Predicate<T> context, Consumer<T> action) {
    public Command {
        Objects.requireNonNull(id, "id");
        keys = List.copyOf(keys);
    }

    /** A command whose keys are described as in {@link Key#parse}, with blanks between them. */
    public static <T> Command<T> of(
            String id, String title, String help, String keys, Predicate<T> context, Consumer<T> action) {
        List<Key> parsed = Arrays.stream(keys.split(" ")).map(Key::parse).toList();
        return new Command<>(id, title, help, parsed, context, action);
    }

    /** The id's part before the dot. */
    public String group() {
        return id.substring(0, id.indexOf('.'));
    }

    /** Its keys as people read them. */
    public String keyLabels() {
        return String.join(" ", keys.stream().map(Key::label).distinct().toList());
    }
}
