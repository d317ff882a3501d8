package kiln.kernels.op.product;

import java.util.List;
import java.util.Objects;
import kiln.kernels.DataType;
import kiln.kernels.op.Arithmetic;
import kiln.kernels.op.Code;

/**
 * How a block cuts a product: it computes {@code rows × columns} results in steps of {@code depth} channels.
 *
 * @param partRows with {@code partColumns}, the results of one thread or, with tensor cores, of one warp
 * @param patchWidth 0 where rows are taken as they come; otherwise a tile's rows are a rectangle of one picture's pixels, so many across,
 *     for 3×3 convolutions on tensor cores ({@link PatchProduct})
 */
public record Tile(Arithmetic arithmetic, int rows, int columns, int depth, int partRows, int partColumns, int patchWidth) {
    /** For large maps: most work per byte. */
    public static final Tile LARGE = new Tile(Arithmetic.FMA, 128, 128, 8, 8, 8);
    /** For results whose last large tile would be mostly empty: 320 columns are two and a half. */
    public static final Tile TALL = new Tile(Arithmetic.FMA, 128, 64, 8, 8, 8);

    public static final Tile WIDE = new Tile(Arithmetic.FMA, 64, 128, 8, 8, 8);
    /** For maps that would not fill a card with large tiles. */
    public static final Tile MEDIUM = new Tile(Arithmetic.FMA, 64, 64, 16, 4, 4);
    /** For a few rows: text, timesteps. */
    public static final Tile SMALL = new Tile(Arithmetic.FMA, 32, 32, 16, 4, 4);

    /** The same for tensor cores. */
    public static Tile largeTensor(Arithmetic arithmetic) {
        return new Tile(arithmetic, 128, 128, 32, 64, 32);
    }

    /** As many results as a large one, for columns that come in sixty-fours. */
    public static Tile tallestTensor(Arithmetic arithmetic) {
        return new Tile(arithmetic, 256, 64, 32, 64, 32);
    }

    public static Tile tallTensor(Arithmetic arithmetic) {
        return new Tile(arithmetic, 128, 64, 32, 64, 32);
    }

    public static Tile wideTensor(Arithmetic arithmetic) {
        return new Tile(arithmetic, 64, 128, 32, 64, 32);
    }

    public static Tile mediumTensor(Arithmetic arithmetic) {
        return new Tile(arithmetic, 64, 64, 32, 32, 32);
    }

    /** 8×16 pixels. */
    public static Tile largePatch(Arithmetic arithmetic) {
        return new Tile(arithmetic, 128, 128, 32, 64, 32, 16);
    }

    /** 16×16 pixels. */
    public static Tile tallestPatch(Arithmetic arithmetic) {
        return new Tile(arithmetic, 256, 64, 32, 64, 32, 16);
    }

    /** 8×16 pixels. */
    public static Tile tallPatch(Arithmetic arithmetic) {
        return new Tile(arithmetic, 128, 64, 32, 64, 32, 16);
    }

    /** 8×8 pixels, for small maps of many channels. */
    public static Tile widePatch(Arithmetic arithmetic) {
        return new Tile(arithmetic, 64, 128, 32, 64, 32, 8);
    }

    /** 8×8 pixels, for small maps. */
    public static Tile mediumPatch(Arithmetic arithmetic) {
        return new Tile(arithmetic, 64, 64, 32, 32, 32, 8);
    }

    /** All that 3×3 convolutions choose from beside those that products have. */
    public static List<Tile> patches(Arithmetic arithmetic) {
        if (!arithmetic.isTensor()) {
            return List.of();
        }
        return List.of(largePatch(arithmetic), tallestPatch(arithmetic), tallPatch(arithmetic), widePatch(arithmetic), mediumPatch(arithmetic));
    }

    /** All that products choose from. */
    static List<Tile> of(Arithmetic arithmetic) {
        if (!arithmetic.isTensor()) {
            return List.of(LARGE, TALL, WIDE, MEDIUM, SMALL);
        }
        return List.of(
                largeTensor(arithmetic),
                tallestTensor(arithmetic),
                tallTensor(arithmetic),
                wideTensor(arithmetic),
                mediumTensor(arithmetic));
    }

    /** What every card gives a block without being asked. */
    private static final int STATIC_SHARED_BYTES = 48 << 10;

    /** Results that one tensor instruction makes. */
    static final int MMA_ROWS = 16;

    static final int MMA_COLUMNS = 8;
    /** Of the two halves that a fragment's rows come in. */
    private static final int EIGHT_ROWS = 8;

    public Tile {
        Objects.requireNonNull(arithmetic, "arithmetic");
        int partUnitRows = arithmetic.isTensor() ? MMA_ROWS : FmaProduct.GROUP;
        int partUnitColumns = arithmetic.isTensor() ? 2 * MMA_COLUMNS : FmaProduct.GROUP;
        int threads = rows / partRows * (columns / partColumns) * (arithmetic.isTensor() ? Code.WARP : 1);
        int vector = arithmetic.isTensor() ? TensorProduct.UNIT : FmaProduct.GROUP;
        if (partRows % partUnitRows != 0
                || partColumns % partUnitColumns != 0
                || rows % partRows != 0
                || columns % partColumns != 0
                || Integer.bitCount(depth) != 1
                || depth < vector
                || arithmetic.isTensor() && depth != TensorProduct.DEPTH
                || rows * depth % (vector * threads) != 0
                || columns * depth % (vector * threads) != 0) {
            throw new IllegalArgumentException("tile " + rows + "x" + columns + "x" + depth + " by " + partRows + "x" + partColumns);
        }
        boolean wholeFragments = patchWidth == EIGHT_ROWS || patchWidth == MMA_ROWS;
        if (patchWidth != 0 && (!arithmetic.isTensor() || !wholeFragments)) {
            throw new IllegalArgumentException(arithmetic + " tile of pixels, " + patchWidth + " across");
        }
    }

    /** Rows as they come. */
    public Tile(Arithmetic arithmetic, int rows, int columns, int depth, int partRows, int partColumns) {
        this(arithmetic, rows, columns, depth, partRows, partColumns, 0);
    }

    /** Whether its rows are a rectangle of pixels. */
    public boolean isPatch() {
        return patchWidth > 0;
    }

    /** Pixels down, where it is a patch. */
    public int patchHeight() {
        return rows / patchWidth;
    }

    /** Bytes of shared memory for one slice of both factors; of the right one for a patch, whose pixels lie beside the stages. */
    int stageBytes() {
        if (isPatch()) {
            return TensorProduct.sliceBytes(this, columns);
        }
        return arithmetic.isTensor() ? TensorProduct.sliceBytes(this, rows) + TensorProduct.sliceBytes(this, columns)
                : FmaProduct.sliceBytes(this, rows) + FmaProduct.sliceBytes(this, columns);
    }

    /** Slices in shared memory at the same time; with copies past the registers there are three, where that fits. */
    int stages() {
        if (arithmetic != Arithmetic.MMA16) {
            return 2;
        }
        return Math.min(3, (STATIC_SHARED_BYTES - patchBytes()) / stageBytes());
    }

    private int patchBytes() {
        return isPatch() ? PatchPixels.sharedBytes(this) : 0;
    }

    /** Shared memory of a block. */
    int sharedBytes() {
        return patchBytes() + stages() * stageBytes();
    }

    int threads() {
        return rows / partRows * (columns / partColumns) * (arithmetic.isTensor() ? Code.WARP : 1);
    }

    /** Rows whose results make one slice of statistics: a warp's part, or with FMA one group of rows of each thread. */
    public int statisticsSlice() {
        return arithmetic.isTensor() ? partRows : rows / (partRows / FmaProduct.GROUP);
    }

    /** Whether a picture's result, or a band of it, is whole slices of statistics. */
    boolean hasWholeSlices(int height, int width) {
        return isPatch() ? height % patchHeight() == 0 && width % patchWidth == 0 : height * width % statisticsSlice() == 0;
    }

    /** Elements that one vector load takes: what channels and strides must be a multiple of for it. */
    public int vector() {
        return arithmetic.isTensor() ? TensorProduct.UNIT : FmaProduct.GROUP;
    }

    /** Bytes that all warps read from shared memory for one slice. */
    double operandBytesOfSlice() {
        int parts = rows / partRows * (columns / partColumns);
        double bytes = (double) parts * (partRows + partColumns) * depth;
        // Threads of a warp that have a row or column in common read it once: about half.
        return arithmetic.isTensor() ? bytes * DataType.F16.bytes() : bytes * Float.BYTES / 2;
    }

    public String label() {
        return (arithmetic == Arithmetic.FMA ? "" : arithmetic.label() + " ") + rows + "x" + columns + "x" + depth
                + (isPatch() ? " patch" + patchHeight() + "x" + patchWidth : "");
    }

    int registerBudget() {
        if (arithmetic == Arithmetic.MMA16) {
            // What lets a multiprocessor hold two blocks of 256 threads.
            return 128;
        }
        if (arithmetic.isTensor() && (threads() == 256 || isPatch())) {
            // One block of 256 threads either way: more than half of the registers, or spills. Of smaller ones, shared memory holds two.
            return 208;
        }
        if (arithmetic.isTensor() || partRows * partColumns > 16) {
            return 168;
        }
        return threads() > 64 ? 96 : 112;
    }
}
