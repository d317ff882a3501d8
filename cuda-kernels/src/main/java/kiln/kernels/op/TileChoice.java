package kiln.kernels.op;

/**
 * Chooses a product's tile, and how many parts its sum is cut into, by a small model of the card's clocks.
 *
 * <p>For a block and one slice of {@code depth} channels:
 * <pre>
 * multiply = rows · columns · depth / multiplications per clock
 * operands = bytes that its warps read from shared memory / 128 per clock; half of it hides behind the multiplications
 * loads    = (rows + columns) · depth · bytes of an element / 32 per clock from the second-level cache
 * slice    = max(multiply + operands / 2, loads)
 * </pre>
 * A multiprocessor does {@code ceil(blocks / multiprocessors)} of them, where blocks count what lies beyond the result's edges as well. Too
 * few at a time cannot hide the memory's latency: a slice of one block takes no less than that latency over the slices that are on their
 * way. A split product also writes its parts, reads them again and launches a second kernel. The figures are from vendors' documents and
 * published microbenchmarks, not measured here; only their ratios decide.
 */
record TileChoice(Tile tile, int parts, double clocks) {
    private static final double SHARED_BYTES_PER_CLOCK = 128;
    private static final double CACHE_BYTES_PER_CLOCK = 32;
    private static final double MEMORY_LATENCY = 600;
    /** Between the end of one kernel and the beginning of the next, 2 to 3 microseconds. */
    private static final double LAUNCH = 4000;
    /** Filling the pipeline and storing results. */
    private static final double BLOCK = 1000;

    /** A split product needs memory: it has to save at least a tenth. */
    private static final double WORTHWHILE = 0.9;

    private static final double WORK_BYTES_PER_CLOCK = 8;
    private static final int REGISTERS = 64 << 10;
    /** Shorter parts spend more on their ends than they save. */
    private static final int LEAST_SLICES = 6;

    private static final int[] PARTS = {1, 2, 3, 4, 6, 8, 12, 16};

    /** What is multiplied; {@code channels} at each of {@code taps}, {@code matrices} times. */
    record Product(int rows, int columns, int channels, int taps, int matrices) {
        int slices(Tile tile) {
            return Code.blocks(channels, tile.depth()) * taps;
        }
    }

    /**
     * The cheapest.
     *
     * @param mostWorkBytes for the parts' sums; with 0 the product stays whole
     */
    static TileChoice of(Card card, Arithmetic arithmetic, int elementBytes, Product product, long mostWorkBytes) {
        TileChoice whole = null;
        TileChoice split = null;
        for (Tile tile : Tile.of(arithmetic)) {
            int before = 0;
            for (int wanted : PARTS) {
                int parts = parts(tile, product, wanted);
                if (parts == before || parts > 1 && workBytes(product, parts) > mostWorkBytes) {
                    continue;
                }
                before = parts;
                double clocks = clocks(card, tile, elementBytes, product, parts);
                TileChoice choice = new TileChoice(tile, parts, clocks);
                if (parts == 1) {
                    whole = whole == null || clocks < whole.clocks ? choice : whole;
                } else {
                    split = split == null || clocks < split.clocks ? choice : split;
                }
            }
        }
        return split != null && split.clocks < WORTHWHILE * whole.clocks ? split : whole;
    }

    /** How many parts there are when each has as many slices, but for the last, and none is empty. */
    private static int parts(Tile tile, Product product, int wanted) {
        int slices = product.slices(tile);
        int most = product.matrices > 1 ? 1 : Math.max(1, slices / LEAST_SLICES);
        return Code.blocks(slices, Code.blocks(slices, Math.min(wanted, most)));
    }

    static long workBytes(Product product, int parts) {
        return parts == 1 ? 0 : (long) parts * product.rows * product.columns * Float.BYTES;
    }

    static double clocks(Card card, Tile tile, int elementBytes, Product product, int parts) {
        long blocks = (long) Code.blocks(product.rows, tile.rows()) * Code.blocks(product.columns, tile.columns()) * product.matrices * parts;
        long mostBlocks = (blocks + card.multiprocessors() - 1) / card.multiprocessors();
        int resident = resident(card, tile);
        double multiply = (double) tile.rows() * tile.columns() * tile.depth() / card.multiplicationsPerClock(tile.arithmetic());
        double operands = tile.operandBytesOfSlice() / SHARED_BYTES_PER_CLOCK;
        double loads = (double) (tile.rows() + tile.columns()) * tile.depth() * elementBytes / CACHE_BYTES_PER_CLOCK;
        double busy = mostBlocks * Math.max(multiply + operands / 2, loads);
        double waiting = Math.ceil((double) mostBlocks / resident) * MEMORY_LATENCY / (tile.stages() - 1);
        int slices = Code.blocks(product.slices(tile), parts);
        double clocks = Math.max(busy, waiting) * slices + BLOCK * mostBlocks;
        if (parts > 1) {
            clocks += LAUNCH + 2.0 * workBytes(product, parts) / (WORK_BYTES_PER_CLOCK * card.multiprocessors());
        }
        return clocks;
    }

    /** Blocks that a multiprocessor holds at the same time. */
    private static int resident(Card card, Tile tile) {
        int byRegisters = REGISTERS / (tile.registerBudget() * tile.threads());
        int byShared = card.sharedBytes() / (tile.stages() * tile.stageBytes());
        return Math.max(1, Math.min(byRegisters, byShared));
    }
}
