package kiln.weights.pickle;

/** A pickle that breaks the rules or the limits; {@link #position} says at which byte of the input. */
public final class PickleException extends Exception {
    private static final long serialVersionUID = 1L;

    private final int position;
    private final boolean limit;

    PickleException(int position, boolean limit, String message) {
        super(message);
        this.position = position;
        this.limit = limit;
    }

    /** Byte in the input, from its position 0. */
    public int position() {
        return position;
    }

    /** Whether the pickle may be sound but is beyond what is read, as opposed to broken. */
    public boolean isLimit() {
        return limit;
    }
}
