package kiln.kernels.op.product;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import kiln.kernels.DataType;
import kiln.kernels.Kernel;
import kiln.kernels.KernelCall;
import kiln.kernels.op.Code;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxType;
import kiln.kernels.ptx.Target;
import kiln.kernels.ptx.Value;

/**
 * A convolution as a product whose left factor is read from the picture in place (implicit GEMM), then an {@link Epilogue}.
 *
 * <p>{@code out[b, y, x, n] = Σ_ky Σ_kx Σ_c in[b, y·stride + ky − padBefore, x·stride + kx − padBefore, c] · w[n, ky, kx, c]}, zeros
 * outside. Weights are in the order {@code [out, ky, kx, in]} (a checkpoint has {@code [out, in, ky, kx]}).
 *
 * @param weights how they are stored, as for {@link MatrixMultiply}
 * @param vector out channels are a multiple of four, in channels of {@link Tile#vector}
 * @param partial as for {@link MatrixMultiply}
 * @param onLoad what is done to the picture's elements; zeros outside stay. Anything but nothing takes a tile of pixels
 */
public record Convolution(
        DataType type,
        DataType weights,
        Tile tile,
        boolean vector,
        Epilogue epilogue,
        Window window,
        boolean partial,
        OnLoad onLoad)
        implements Kernel {
    /**
     * What of the picture a position of the result sees.
     *
     * @param size rows and columns: 1 or 3
     * @param padBefore zeros above and on the left; those below and on the right are in the result's size
     * @param upsample the picture is read as if doubled to nearest neighbours, by {@link Doubling}, which says what order weights are in
     *     (bytes have a scale for each parity and out channel)
     */
    public record Window(int size, int stride, int padBefore, boolean upsample) {
        /** 3×3, with a result as large as the picture. */
        public static final Window SAME = new Window(3, 1, 1, false);
        /** 3×3 over the picture doubled. */
        public static final Window DOUBLED = new Window(3, 1, 1, true);

        public Window {
            if (size < 1 || stride < 1 || padBefore < 0 || padBefore >= size) {
                throw new IllegalArgumentException("convolution " + size + "x" + size + ", stride " + stride + ", padding " + padBefore);
            }
            if (upsample && !(size == 3 && stride == 1 && padBefore == 1)) {
                throw new IllegalArgumentException("convolution: a picture is read doubled by 3x3 with stride 1 and padding 1 only");
            }
        }

        /** Whether it is one that {@link PatchProduct} reads. */
        boolean takesPatches() {
            return equals(SAME);
        }

        /** Rows and columns that are read in the stored picture. */
        int stored() {
            return upsample ? Doubling.WINDOW : size;
        }

        /** What the product's rows are positions of: the result, or, where the picture is doubled, a parity of it: the picture's own. */
        Shape positions(Shape shape) {
            return upsample ? shape.ofParity() : shape;
        }
    }

    /** Sizes of one convolution; in height and width as stored, before any doubling. */
    public record Shape(int batch, int height, int width, int inChannels, int outHeight, int outWidth, int outChannels) {
        public int rows() {
            return batch * outHeight * outWidth;
        }

        /** Of the result, counting what lies beyond its edges. */
        public int rowTiles(Tile tile) {
            return tile.isPatch() ? PatchProduct.tiles(tile, batch, outHeight, outWidth) : Code.blocks(rows(), tile.rows());
        }

        /** What a band of that many result rows is a convolution of. */
        Shape ofBand(Band band) {
            return new Shape(batch, height, width, inChannels, band.rows(), outWidth, outChannels);
        }

        /** What is computed at each parity of a result that is the picture doubled. */
        Shape ofParity() {
            return new Shape(batch, height, width, inChannels, outHeight / 2, outWidth / 2, outChannels);
        }
    }

    /**
     * Some rows of the result, computed from a buffer that holds only the picture's rows that they need. Each element is summed in the same
     * order as in the whole, so it is the same to the bit.
     *
     * @param firstRow of the result; its buffer begins with it and holds {@code rows} of each picture. Both are even where the picture is
     *     doubled
     * @param inFirstRow of the picture as stored, before any doubling; the input buffer begins with it and holds {@code inRows} of each picture
     */
    public record Band(int firstRow, int rows, int inFirstRow, int inRows) {
        /** All of it. */
        public static Band whole(Shape shape) {
            return new Band(0, shape.outHeight(), 0, shape.height());
        }
    }

    /** The band of some of the result's rows, with the fewest rows of the picture. */
    public Band band(Shape shape, int firstRow, int rows) {
        int scale = window.upsample() ? 2 : 1;
        int first = Math.floorDiv(firstRow * window.stride() - window.padBefore(), scale);
        int last = Math.floorDiv((firstRow + rows - 1) * window.stride() - window.padBefore() + window.size() - 1, scale);
        int inFirstRow = Math.max(0, first);
        return new Band(firstRow, rows, inFirstRow, Math.min(shape.height() - 1, last) - inFirstRow + 1);
    }

    public Convolution {
        Objects.requireNonNull(type, "type");
        Objects.requireNonNull(weights, "weights");
        Objects.requireNonNull(tile, "tile");
        Objects.requireNonNull(epilogue, "epilogue");
        Objects.requireNonNull(window, "window");
        if (epilogue.geglu()) {
            throw new IllegalArgumentException("convolution with " + epilogue.label());
        }
        TiledProduct.require(type, weights, tile, vector, epilogue);
        if (tile.isPatch() && !window.takesPatches()) {
            throw new IllegalArgumentException("convolution: " + tile.label() + " is for 3x3 with stride 1 and padding 1");
        }
        Objects.requireNonNull(onLoad, "onLoad");
        if (onLoad != OnLoad.NOTHING && !tile.isPatch()) {
            throw new IllegalArgumentException("convolution: " + onLoad.label() + " as " + tile.label() + " loads, which is no tile of pixels");
        }
        if (partial && !epilogue.equals(Epilogue.NONE)) {
            throw new IllegalArgumentException("convolution: partial sums with " + epilogue.label());
        }
    }

    /** With nothing done to elements. */
    public Convolution(DataType type, DataType weights, Tile tile, boolean vector, Epilogue epilogue, Window window, boolean partial) {
        this(type, weights, tile, vector, epilogue, window, partial, OnLoad.NOTHING);
    }

    /** With whole sums. */
    public Convolution(DataType type, DataType weights, Tile tile, boolean vector, Epilogue epilogue, Window window) {
        this(type, weights, tile, vector, epilogue, window, false);
    }

    /** With weights stored as the tensors. */
    public Convolution(DataType type, Tile tile, boolean vector, Epilogue epilogue, Window window) {
        this(type, type, tile, vector, epilogue, window);
    }

    /** Whether the sums' scales are left to {@link SplitSum}. It knows those of columns, not of parities. */
    boolean leavesScales() {
        return weights == DataType.I8 && partial && !window.upsample();
    }

    private boolean takesScales() {
        return weights == DataType.I8 && !leavesScales();
    }

    /** What adds the parts of the sums. */
    public SplitSum sumOfParts(Epilogue epilogue, int outChannels) {
        return SplitSum.of(type, leavesScales() ? weights : type, epilogue, outChannels, outChannels);
    }

    public static boolean canUseVectors(Tile tile, int inChannels, int outChannels) {
        return outChannels % FmaProduct.GROUP == 0 && inChannels % tile.vector() == 0;
    }

    @Override
    public String name() {
        return "convolution";
    }

    @Override
    public String variant() {
        String sizes = window.size() + "x" + window.size() + " stride" + window.stride() + " pad" + window.padBefore();
        return TiledProduct.label(type, weights) + " " + tile.label() + (vector ? " vector " : " any ") + sizes
                + (window.upsample() ? " upsample " : " ") + (onLoad == OnLoad.NOTHING ? "" : onLoad.label() + " ")
                + (partial ? "partial" : epilogue.label());
    }

    @Override
    public Target target() {
        return tile.arithmetic().target();
    }

    @Override
    public int threads() {
        return tile.threads();
    }

    @Override
    public int registerBudget() {
        return tile.registerBudget();
    }

    /**
     * Whole sums of a band.
     *
     * @param shape of the whole
     */
    public KernelCall call(ProductOperands operands, Shape shape, Band band) {
        if (partial) {
            throw new IllegalArgumentException("convolution " + variant() + " stores no results");
        }
        if (epilogue.leavesStatistics() && tile.isPatch() && !tile.hasWholeSlices(band.rows(), shape.outWidth())) {
            throw new IllegalArgumentException("convolution " + variant() + ": no whole tiles for statistics in " + band + " of " + shape);
        }
        Shape positions = window.positions(shape.ofBand(band));
        TiledProduct.requireSlices(epilogue, tile.statisticsSlice(), positions.outHeight() * positions.outWidth());
        List<Object> arguments = arguments(operands, operands.out(), shape, band);
        TiledProduct.addScales(arguments, weights, operands.scales());
        epilogue.addArguments(arguments, operands.bias(), operands.inputs());
        return call(positions, 1, arguments);
    }

    /** As {@link MatrixMultiply#partialCall}; rows are the positions of the result, columns its channels. */
    KernelCall partialCall(ProductOperands operands, Shape shape, Band band, int parts) {
        if (!partial) {
            throw new IllegalArgumentException("convolution " + variant() + " stores no partial sums");
        }
        List<Object> arguments = arguments(operands, operands.work(), shape, band);
        arguments.add(TiledProduct.slicesOfPart(tile, shape.inChannels(), tile.isPatch() ? 1 : window.stored() * window.stored(), parts));
        if (takesScales()) {
            arguments.add(operands.scales());
        }
        return call(window.positions(shape.ofBand(band)), parts, arguments);
    }

    private List<Object> arguments(ProductOperands operands, long out, Shape shape, Band band) {
        if (vector && !canUseVectors(tile, shape.inChannels(), shape.outChannels())) {
            throw new IllegalArgumentException("convolution " + variant() + ": " + shape);
        }
        requireWithin(shape, band);
        Shape positions = window.positions(shape.ofBand(band));
        int firstRow = window.upsample() ? band.firstRow() / 2 : band.firstRow();
        List<Object> arguments = new ArrayList<>(List.of(operands.left(), operands.weights(), out));
        arguments.addAll(List.of(positions.rows(), shape.outChannels(), shape.inChannels()));
        arguments.addAll(List.of(shape.height(), shape.width(), positions.outHeight(), positions.outWidth()));
        arguments.addAll(List.of(firstRow, band.inFirstRow(), band.inRows()));
        if (onLoad != OnLoad.NOTHING) {
            arguments.add(operands.factors().address());
        }
        return arguments;
    }

    private KernelCall call(Shape positions, int parts, List<Object> arguments) {
        int depth = window.upsample() ? parts * Doubling.PARITIES : parts;
        return new KernelCall(this, positions.rowTiles(tile), Code.blocks(positions.outChannels(), tile.columns()), depth, arguments);
    }

    private void requireWithin(Shape shape, Band band) {
        if (window.upsample() && (shape.outHeight() != 2 * shape.height() || shape.outWidth() != 2 * shape.width())) {
            throw new IllegalArgumentException("convolution " + variant() + ": " + shape + ", whose result is not the doubled size");
        }
        if (window.upsample() && (band.firstRow() % 2 != 0 || band.rows() % 2 != 0)) {
            throw new IllegalArgumentException("convolution " + variant() + ": " + band + " of a doubled picture, whose rows come in twos");
        }
        Band needed = band(shape, band.firstRow(), band.rows());
        if (band.firstRow() < 0
                || band.rows() < 1
                || band.firstRow() + band.rows() > shape.outHeight()
                || band.inFirstRow() < 0
                || band.inFirstRow() > needed.inFirstRow()
                || band.inFirstRow() + band.inRows() < needed.inFirstRow() + needed.inRows()) {
            throw new IllegalArgumentException("convolution " + variant() + ": " + band + " of " + shape + ", needed " + needed);
        }
    }

    @Override
    public String ptx() {
        PtxFunction f = Code.entry(this);
        Value in = f.parameter("in", PtxType.U64);
        Value weightMatrix = f.parameter("weights", PtxType.U64);
        Value out = f.parameter("out", PtxType.U64);
        Value rows = f.parameter("rows", PtxType.U32);
        Value outChannels = f.parameter("out_channels", PtxType.U32);
        Value inChannels = f.parameter("in_channels", PtxType.U32);
        Value height = f.parameter("height", PtxType.U32);
        Value width = f.parameter("width", PtxType.U32);
        Value outHeight = f.parameter("out_height", PtxType.U32);
        Value outWidth = f.parameter("out_width", PtxType.U32);
        Value firstOutRow = f.parameter("first_out_row", PtxType.U32);
        Value firstInRow = f.parameter("first_in_row", PtxType.U32);
        Value inRows = f.parameter("in_rows", PtxType.U32);
        LoadText load = onLoad == OnLoad.NOTHING ? null : new LoadText(f, onLoad, type, f.parameter("factors", PtxType.U64), inChannels);
        Value slicesOfPart = partial ? f.parameter("slices_of_part", PtxType.U32) : null;
        Value scales = takesScales() ? TiledProduct.scales(f, weights) : null;
        DataType stored = partial ? DataType.F32 : type;
        Epilogue.Text text = epilogue.new Text(f, stored);
        Doubling.Text doubling = window.upsample() ? new Doubling.Text(f, width) : null;
        Value part = !partial ? null : window.upsample() ? doubling.part : f.special("%ctaid.z");
        Value resultRows = window.upsample() ? f.mul(rows, Value.of(Doubling.PARITIES)) : rows;
        Value target = partial ? f.mad(f.mulWide(part, f.mul(resultRows, outChannels)), Value.ofLong(Float.BYTES), out) : out;
        if (window.upsample()) {
            f.comment("the parity's weights");
            Value before = f.mul(doubling.parity, outChannels);
            weightMatrix = f.address(weightMatrix, f.mul(f.mul(before, inChannels), Value.of(Doubling.TAPS)), weights.bytes());
            scales = scales == null ? null : f.address(scales, before, Float.BYTES);
        }
        Results results = new Results(f, stored, target, outChannels, resultRows, outChannels, scales, epilogue, text, doubling);
        TiledProduct.Operands operands = new TiledProduct.Operands(weightMatrix, rows, outChannels, inChannels, part, slicesOfPart);
        ConvolutionMap map = new ConvolutionMap(in, height, width, outHeight, outWidth, firstOutRow, firstInRow, inRows);
        if (tile.isPatch()) {
            new PatchProduct(f, type, weights, tile, map, load).emit(operands, results);
        } else {
            WindowRows windows = new WindowRows(f, type, window.stored(), window.stride(), window.padBefore(), map, inChannels, doubling);
            TiledProduct.of(f, type, weights, tile, vector).emit(operands, windows, results);
        }
        return f.moduleText();
    }

    /**
     * A band (or {@link Band#whole} of it) in plain Java, with packed weights and their scales, if any.
     *
     * @param in after {@link OnLoad#reference}
     */
    public float[] reference(float[] in, float[] weights, float[] scales, Shape shape, Band band, Epilogue.Values values) {
        float[] sums = new float[shape.ofBand(band).rows() * shape.outChannels()];
        int taps = window.stored() * window.stored();
        int at = 0;
        for (int row = 0; row < shape.ofBand(band).rows(); row++) {
            int b = row / (band.rows() * shape.outWidth());
            int outY = row / shape.outWidth() % band.rows() + band.firstRow();
            int outX = row % shape.outWidth();
            int firstY = window.upsample() ? (outY - 1) >> 1 : outY * window.stride() - window.padBefore();
            int firstX = window.upsample() ? (outX - 1) >> 1 : outX * window.stride() - window.padBefore();
            int parity = window.upsample() ? outY % 2 * 2 + outX % 2 : 0;
            for (int n = 0; n < shape.outChannels(); n++) {
                int weightRow = parity * shape.outChannels() + n;
                double sum = 0;
                for (int tap = 0; tap < taps; tap++) {
                    int y = firstY + tap / window.stored();
                    int x = firstX + tap % window.stored();
                    if (y < 0 || x < 0 || y >= shape.height() || x >= shape.width()) {
                        continue;
                    }
                    int position = (b * band.inRows() + y - band.inFirstRow()) * shape.width() + x;
                    for (int c = 0; c < shape.inChannels(); c++) {
                        sum += (double) in[position * shape.inChannels() + c] * weights[(weightRow * taps + tap) * shape.inChannels() + c];
                    }
                }
                sums[at++] = (float) (scales == null ? sum : sum * scales[weightRow]);
            }
        }
        return epilogue.reference(sums, shape.ofBand(band).rows(), shape.outChannels(), values);
    }
}
