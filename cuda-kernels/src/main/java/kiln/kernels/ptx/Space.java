package kiln.kernels.ptx;

/** State spaces that loads and stores name. */
public enum Space {
    GLOBAL("global"),
    /** Global memory that nothing writes while the kernel runs: old cards cache it next to the multiprocessor only when told so. Loads only. */
    READ_ONLY("global.nc"),
    SHARED("shared");

    private final String suffix;

    Space(String suffix) {
        this.suffix = suffix;
    }

    String suffix() {
        return suffix;
    }
}
