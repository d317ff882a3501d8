package kiln.kernels.emulator;

/** PTX's four directions of rounding; the suffixes with an i round to a whole number. */
enum Rounding {
    NEAREST, ZERO, UP, DOWN;

    /** Rounds a value to a whole number. */
    double whole(double value) {
        return switch (this) {
            case NEAREST -> Math.rint(value);
            case ZERO -> value < 0 ? Math.ceil(value) : Math.floor(value);
            case UP -> Math.ceil(value);
            case DOWN -> Math.floor(value);
        };
    }

    static Rounding of(Statement statement, Rounding otherwise) {
        for (String part : statement.parts()) {
            switch (part) {
                case "rn", "rni" -> {
                    return NEAREST;
                }
                case "rz", "rzi" -> {
                    return ZERO;
                }
                case "rp", "rpi" -> {
                    return UP;
                }
                case "rm", "rmi" -> {
                    return DOWN;
                }
                default -> { }
            }
        }
        return otherwise;
    }
}
