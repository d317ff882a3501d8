package kiln.kernels.emulator;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** What is captured instead of queued, for a graph. */
final class CapturedWork {
    /**
     * @param uses as {@link WorkQueue#add} takes them
     * @param account what is counted each time it is queued
     */
    record Piece(String what, Set<Object> uses, Runnable account, Runnable action) {}

    private final List<Piece> pieces = new ArrayList<>();
    private boolean spoilt;
    private boolean ended;

    void add(Piece piece) {
        pieces.add(piece);
    }

    List<Piece> pieces() {
        return pieces;
    }

    /** By a call that may not be made meanwhile. */
    void spoil() {
        spoilt = true;
    }

    boolean spoilt() {
        return spoilt;
    }

    void end() {
        ended = true;
    }

    boolean ended() {
        return ended;
    }
}
