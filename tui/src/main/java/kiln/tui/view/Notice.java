package kiln.tui.view;

import java.util.Objects;

/**
 * A line in the progress line's place.
 *
 * @param until {@code System.nanoTime()} after which a brief one goes away by itself
 */
record Notice(String text, Kind kind, long until) {
    enum Kind {
        /** Something failed: stays until it is dismissed or the next job is asked for. */
        ERROR,
        /** Worth reading, and nothing failed: stays until the next key, and leaves a running job its bar. */
        REMARK,
        BRIEF
    }

    Notice {
        Objects.requireNonNull(text, "text");
        Objects.requireNonNull(kind, "kind");
    }

    static Notice error(String text) {
        return new Notice(text, Kind.ERROR, 0);
    }

    static Notice remark(String text) {
        return new Notice(text, Kind.REMARK, 0);
    }

    static Notice brief(String text, long until) {
        return new Notice(text, Kind.BRIEF, until);
    }

    boolean isError() {
        return kind == Kind.ERROR;
    }

    boolean isRemark() {
        return kind == Kind.REMARK;
    }

    boolean isOver(long now) {
        return kind == Kind.BRIEF && now - until >= 0;
    }
}
