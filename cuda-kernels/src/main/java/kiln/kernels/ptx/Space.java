package kiln.kernels.ptx;

/** State spaces that loads and stores name. */
public enum Space {
    GLOBAL("global"),
    /** Global memory that nothing writes while the kernel runs: read through the texture path's cache. */
    CONSTANT_GLOBAL("global.nc"),
    SHARED("shared");

    private final String suffix;

    Space(String suffix) {
        this.suffix = suffix;
    }

    String suffix() {
        return suffix;
    }
}
