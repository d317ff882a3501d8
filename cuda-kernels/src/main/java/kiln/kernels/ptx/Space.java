package kiln.kernels.ptx;

/** State spaces that loads and stores name. */
public enum Space {
    GLOBAL("global"),
    SHARED("shared");

    private final String suffix;

    Space(String suffix) {
        this.suffix = suffix;
    }

    String suffix() {
        return suffix;
    }
}
