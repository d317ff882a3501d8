package kiln.runtime.base;

/** What a request's numbers may be. */
public final class Bounds {
    private Bounds() {}

    /** @throws KilnException {@code BAD_REQUEST} when a value is outside, or no number */
    public static void check(String name, double value, double least, double most) {
        if (!(value >= least && value <= most)) {
            throw KilnException.badRequest(name + " " + value + " is outside " + least + " to " + most);
        }
    }
}
