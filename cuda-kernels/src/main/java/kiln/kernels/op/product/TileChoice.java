package kiln.kernels.op.product;

import java.util.List;
import java.util.stream.Stream;
import kiln.kernels.op.Arithmetic;
import kiln.kernels.op.Card;
import kiln.kernels.op.Code;

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
 * A tile of pixels ({@link PatchProduct}) loads its patch once for all taps of such a slice. Each time it also stores it to shared memory
 * (128 bytes per clock) between two barriers that cost a latency of shared memory each, and with {@link OnLoad#AFFINE_SILU} calls two
 * special functions an element (16 per clock), half of which hide behind the multiplications of its other warps. That stands still the block
 * that does it, not the others on the multiprocessor:
 * <pre>
 * patch    = (patch bytes / 128 + 2 · 30 + elements · 2 / 16 / 2) / blocks on the multiprocessor
 * loads    = (pixels of the patch / taps + columns) · depth · bytes of an element / 32
 * slice    = max(multiply + operands / 2 + patch / taps, loads)
 * </pre>
 * Where something is to be done to elements, any other tile takes a pass over the map before: a launch, and the map read and written. It
 * also takes room for a second map, so it has to save a twentieth.
 *
 * <p>A multiprocessor does {@code ceil(blocks / multiprocessors)} of them, where blocks count what lies beyond the result's edges as well:
 * rows beyond the last one, pixels beyond a picture's right and lower edge. Too few at a time cannot hide the memory's latency: a slice of
 * one block takes no less than that latency over the slices that are on their way. A split product also writes its parts, reads them again
 * and launches a second kernel. The figures are from vendors' documents and published microbenchmarks, not measured here; only their ratios
 * decide.
 */
public record TileChoice(Tile tile, int parts, double clocks) {
    private static final double SHARED_BYTES_PER_CLOCK = 128;
    private static final double CACHE_BYTES_PER_CLOCK = 32;
    private static final double MEMORY_LATENCY = 600;
    /** Between the end of one kernel and the beginning of the next, 2 to 3 microseconds. */
    private static final double LAUNCH = 4000;
    /** Filling the pipeline and storing results. */
    private static final double BLOCK = 1000;

    /** A split product needs memory: it has to save at least a tenth. */
    private static final double WORTHWHILE = 0.9;

    private static final double SECOND_MAP = 1.05;

    private static final double WORK_BYTES_PER_CLOCK = 8;
    private static final double SHARED_LATENCY = 30;
    private static final double SPECIAL_FUNCTIONS_PER_CLOCK = 16;
    private static final int REGISTERS = 64 << 10;
    /** Shorter parts spend more on their ends than they save. */
    private static final int LEAST_SLICES = 6;

    private static final int[] PARTS = {1, 2, 3, 4, 6, 8, 12, 16};

    /**
     * What is multiplied; {@code channels} at each of {@code taps}, {@code matrices} times.
     *
     * @param matrices of a batch, or the parities of a doubled picture's result
     * @param map that the rows are pixels of, where tiles of pixels can take them; otherwise {@code null}
     * @param onLoad what is to be done to the left factor's elements, by the product or by a pass before it
     */
    public record Product(int rows, int columns, int channels, int taps, int matrices, Map map, OnLoad onLoad) {
        /** Pixels of a result. */
        record Map(int pictures, int height, int width) {}

        public Product(int rows, int columns, int channels, int taps, int matrices) {
            this(rows, columns, channels, taps, matrices, null, OnLoad.NOTHING);
        }

        List<Tile> tiles(Arithmetic arithmetic) {
            if (map == null) {
                return Tile.of(arithmetic);
            }
            return Stream.concat(Tile.patches(arithmetic).stream(), Tile.of(arithmetic).stream()).toList();
        }

        int slices(Tile tile) {
            return Code.blocks(channels, tile.depth()) * taps;
        }

        /** Slices that are never in different parts. */
        int together(Tile tile) {
            return tile.isPatch() ? taps : 1;
        }

        long tilesOf(Tile tile) {
            int down = tile.isPatch() ? PatchProduct.tiles(tile, map.pictures, map.height, map.width) : Code.blocks(rows, tile.rows());
            return (long) down * Code.blocks(columns, tile.columns()) * matrices;
        }
    }

    /**
     * The cheapest.
     *
     * @param mostWorkBytes for the parts' sums; with 0 the product stays whole
     */
    public static TileChoice of(Card card, Arithmetic arithmetic, int elementBytes, Product product, long mostWorkBytes) {
        TileChoice whole = null;
        TileChoice split = null;
        for (Tile tile : product.tiles(arithmetic)) {
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
        int units = product.slices(tile) / product.together(tile);
        int most = Math.max(1, product.slices(tile) / Math.max(LEAST_SLICES, product.together(tile)));
        return Code.blocks(units, Code.blocks(units, Math.min(wanted, most)));
    }

    static long workBytes(Product product, int parts) {
        return parts == 1 ? 0 : (long) parts * product.rows * product.columns * product.matrices * Float.BYTES;
    }

    static double clocks(Card card, Tile tile, int elementBytes, Product product, int parts) {
        long blocks = product.tilesOf(tile) * parts;
        long mostBlocks = (blocks + card.multiprocessors() - 1) / card.multiprocessors();
        int resident = resident(card, tile);
        double multiply = (double) tile.rows() * tile.columns() * tile.depth() / card.multiplicationsPerClock(tile.arithmetic());
        double operands = tile.operandBytesOfSlice() / SHARED_BYTES_PER_CLOCK;
        double leftElements = (double) tile.depth() * (tile.isPatch() ? PatchProduct.pixels(tile) : tile.rows());
        double patch = tile.isPatch() ? patchClocks(leftElements, elementBytes, product.onLoad) / Math.min(resident, mostBlocks) : 0;
        int together = product.together(tile);
        double loads = (leftElements / together + (double) tile.columns() * tile.depth()) * elementBytes / CACHE_BYTES_PER_CLOCK;
        double busy = mostBlocks * Math.max(multiply + operands / 2 + patch / together, loads);
        double waiting = Math.ceil((double) mostBlocks / resident) * MEMORY_LATENCY / (tile.stages() - 1);
        int slices = Code.blocks(product.slices(tile) / together, parts) * together;
        double clocks = Math.max(busy, waiting) * slices + BLOCK * mostBlocks;
        if (parts > 1) {
            clocks += LAUNCH + 2.0 * workBytes(product, parts) / (WORK_BYTES_PER_CLOCK * card.multiprocessors());
        }
        if (product.onLoad != OnLoad.NOTHING && !tile.isPatch()) {
            double mapBytes = (double) product.rows * product.channels * elementBytes;
            clocks = SECOND_MAP * (clocks + LAUNCH + 2 * mapBytes / (WORK_BYTES_PER_CLOCK * card.multiprocessors()));
        }
        return clocks;
    }

    /** What a patch costs beside its loads. */
    private static double patchClocks(double elements, int elementBytes, OnLoad onLoad) {
        double store = elements * elementBytes / SHARED_BYTES_PER_CLOCK + 2 * SHARED_LATENCY;
        return onLoad == OnLoad.AFFINE_SILU ? store + elements / SPECIAL_FUNCTIONS_PER_CLOCK : store;
    }

    /** Blocks that a multiprocessor holds at the same time. */
    private static int resident(Card card, Tile tile) {
        int byRegisters = REGISTERS / (tile.registerBudget() * tile.threads());
        int byShared = card.sharedBytes() / tile.sharedBytes();
        return Math.max(1, Math.min(byRegisters, byShared));
    }
}
