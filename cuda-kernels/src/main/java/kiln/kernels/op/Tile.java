package kiln.kernels.op;

/**
 * How a block cuts a product: it computes {@code rows × columns} results in steps of {@code depth}, each thread {@code threadRows ×
 * threadColumns} of them.
 */
public record Tile(int rows, int columns, int depth, int threadRows, int threadColumns) {
    /** For large maps: most work per byte. */
    public static final Tile LARGE = new Tile(128, 128, 8, 8, 8);
    /** For maps that would not fill a card with large tiles. */
    public static final Tile MEDIUM = new Tile(64, 64, 16, 4, 4);
    /** For a few rows: text, timesteps. */
    public static final Tile SMALL = new Tile(32, 32, 16, 4, 4);

    /** Elements that one load takes. */
    static final int VECTOR = 4;

    public Tile {
        if (threadRows % VECTOR != 0
                || threadColumns % VECTOR != 0
                || rows % threadRows != 0
                || columns % threadColumns != 0
                || Integer.bitCount(depth) != 1
                || depth < VECTOR
                || rows * depth % (VECTOR * threads(rows, columns, threadRows, threadColumns)) != 0
                || columns * depth % (VECTOR * threads(rows, columns, threadRows, threadColumns)) != 0) {
            throw new IllegalArgumentException("tile " + rows + "x" + columns + "x" + depth + " by " + threadRows + "x" + threadColumns);
        }
    }

    private static int threads(int rows, int columns, int threadRows, int threadColumns) {
        return rows / threadRows * (columns / threadColumns);
    }

    int threads() {
        return threads(rows, columns, threadRows, threadColumns);
    }

    String label() {
        return rows + "x" + columns + "x" + depth;
    }

    int registerBudget() {
        return threadRows * threadColumns > 16 ? 168 : 96;
    }
}
