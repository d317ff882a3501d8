package kiln.kernels.ptx;

/** What {@code setp} compares by. */
public enum Comparison {
    EQUAL("eq"),
    NOT_EQUAL("ne"),
    LESS("lt"),
    LESS_OR_EQUAL("le"),
    GREATER("gt"),
    GREATER_OR_EQUAL("ge");

    private final String suffix;

    Comparison(String suffix) {
        this.suffix = suffix;
    }

    String suffix() {
        return suffix;
    }
}
