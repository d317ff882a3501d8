package kiln.tui.view;

import java.util.Objects;

/**
 * A line in the progress line's place.
 *
 * @param error whether something failed; such a line stays until it is dismissed
 * @param until {@code System.nanoTime()} after which it goes away by itself
 */
record Notice(String text, boolean error, long until) {
    Notice {
        Objects.requireNonNull(text, "text");
    }

    boolean isOver(long now) {
        return !error && now - until >= 0;
    }
}
