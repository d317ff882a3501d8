package kiln.runtime.graph;

/**
 * Work done on a node's result before it is stored, in order.
 *
 * @param input the node whose result is added; −1 for elementwise functions
 */
public record PostOp(Kind kind, int input) {
    /**
     * The functions; SiLU is x·sigmoid(x), QUICK_GELU x·sigmoid(1.702x), GELU the exact one by erf, LEAKY_RELU 0.2x where x is negative,
     * FIFTH 0.2x: what a residual block of a network for super-resolution weighs by (Wang et al. 2018).
     */
    public enum Kind {
        SILU,
        GELU,
        QUICK_GELU,
        RELU,
        LEAKY_RELU,
        FIFTH,
        /** Adds a result of the same shape. */
        ADD,
        /** Adds {@code [batch or 1, 1, 1, channels]} to each position. */
        ADD_PER_CHANNEL;

        public boolean hasInput() {
            return this == ADD || this == ADD_PER_CHANNEL;
        }
    }

    public PostOp {
        if (kind.hasInput() != (input >= 0)) {
            throw new IllegalArgumentException(kind + " with input " + input);
        }
    }

    static PostOp of(Kind function) {
        return new PostOp(function, -1);
    }
}
