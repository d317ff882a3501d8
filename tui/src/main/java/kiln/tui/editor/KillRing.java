package kiln.tui.editor;

import java.util.ArrayDeque;
import java.util.Deque;

/** What was cut, newest first; all editors share one, so that text moves from prompt to negative prompt. */
public final class KillRing {
    private static final int MAX_ENTRIES = 30;

    private final Deque<String> entries = new ArrayDeque<>();

    void add(String text) {
        if (!text.isEmpty()) {
            entries.push(text);
            if (entries.size() > MAX_ENTRIES) {
                entries.removeLast();
            }
        }
    }

    /** Joins text cut right after the newest entry to it. */
    void extend(String text, boolean before) {
        if (entries.isEmpty()) {
            add(text);
        } else {
            String newest = entries.pop();
            entries.push(before ? text + newest : newest + text);
        }
    }

    /** The newest entry; empty when there is none. */
    String newest() {
        return entries.isEmpty() ? "" : entries.peek();
    }

    /** Puts the newest entry last and answers the one that is newest then. */
    String rotate() {
        if (!entries.isEmpty()) {
            entries.addLast(entries.pop());
        }
        return newest();
    }
}
