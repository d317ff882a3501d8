package kiln.kernels.op.attention;

/**
 * A part of an attention: some queries of some heads.
 *
 * @param firstHead heads are counted through all pictures: {@code picture · heads + head}
 * @param firstQuery of each of those heads
 */
public record AttentionSlice(int firstHead, int heads, int firstQuery, int queries) {
    public AttentionSlice {
        if (firstHead < 0 || heads < 1 || firstQuery < 0 || queries < 1) {
            throw new IllegalArgumentException(
                    "attention slice of " + heads + " heads from " + firstHead + ", " + queries + " queries from " + firstQuery);
        }
    }

    int rows() {
        return Math.multiplyExact(heads, queries);
    }

    void requireWithin(AttentionShape shape) {
        if (firstHead + heads > shape.batch() * shape.heads() || firstQuery + queries > shape.queries()) {
            throw new IllegalArgumentException(this + " of " + shape);
        }
    }
}
