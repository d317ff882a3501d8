package kiln.tui.editor;

import java.util.ArrayDeque;
import java.util.Deque;

/** Earlier and undone states of a text. Edits of one kind in a row count as one. */
final class UndoLog {
    private static final int MAX_STATES = 200;
    /** States kept together hold no more characters than this: a pasted book must not be kept two hundred times. */
    private static final long MAX_CHARACTERS = 8_000_000;

    /** What an edit was, for coalescing. */
    enum Kind {
        TYPING,
        DELETING,
        /** Always a unit of its own. */
        WHOLE
    }

    record State(String text, int caret) {}

    private final Deque<State> undone = new ArrayDeque<>();
    private final Deque<State> earlier = new ArrayDeque<>();
    private Kind last = Kind.WHOLE;
    private long characters;

    /** To be called before an edit with the state that it changes. */
    void before(Kind kind, State state) {
        if (kind == Kind.WHOLE || kind != last || earlier.isEmpty()) {
            earlier.push(state);
            characters += state.text().length();
            while (earlier.size() > MAX_STATES || characters > MAX_CHARACTERS && earlier.size() > 1) {
                characters -= earlier.removeLast().text().length();
            }
        }
        last = kind;
        undone.clear();
    }

    /** The next edit begins a new unit, whatever its kind. */
    void breakUnit() {
        last = Kind.WHOLE;
    }

    /** The state before the last unit, or {@code null}. */
    State undo(State now) {
        return step(earlier, undone, now);
    }

    State redo(State now) {
        return step(undone, earlier, now);
    }

    private State step(Deque<State> from, Deque<State> to, State now) {
        breakUnit();
        if (from.isEmpty()) {
            return null;
        }
        to.push(now);
        State state = from.pop();
        characters += from == earlier ? -state.text().length() : now.text().length();
        return state;
    }
}
