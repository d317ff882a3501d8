package kiln.kernels.op.product;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import kiln.kernels.DataType;
import kiln.kernels.Kernel;
import kiln.kernels.KernelCall;
import kiln.kernels.op.Code;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxOp;
import kiln.kernels.ptx.PtxType;
import kiln.kernels.ptx.Target;
import kiln.kernels.ptx.Value;

/**
 * {@code out = epilogue(a · wᵀ)}: a {@code [rows, channels]}, w {@code [columns, channels]}, for each of a batch of matrices.
 *
 * <p>Both factors' rows run along the channels, as linear layers' weights are stored.
 *
 * @param weights how w is stored: as the tensors, in 16 bits with 32-bit tensors, or as bytes ({@link QuantizedRows}), which become floats on their way to shared memory;
 *     the scale of a column multiplies its sums before the bias
 * @param vector columns and strides of the result are multiples of four, channels and strides of a of {@link Tile#vector}: one load takes
 *     that many. Without, any size
 * @param partial stores 32-bit sums over a part of the channels, which {@link SplitSum} adds; there is no epilogue then
 * @param onLoad what is done to a's elements before they are multiplied; not with a batch of matrices
 */
public record MatrixMultiply(
        DataType type, DataType weights, Tile tile, boolean vector, Epilogue epilogue, boolean partial, OnLoad onLoad) implements Kernel {
    /** Elements from one matrix of a batch to the next; a factor with step 0 is shared. */
    public record Batch(int count, int aStep, int weightStep, int outStep) {
        public static final Batch ONE = new Batch(1, 0, 0, 0);
    }

    /**
     * Of one matrix.
     *
     * @param aStride elements from row to row of a; rows may be slices of wider ones
     * @param outStride of the result likewise
     */
    public record Sizes(int rows, int columns, int channels, int aStride, int outStride) {
        Sizes withRows(int some) {
            return new Sizes(some, columns, channels, aStride, outStride);
        }
    }

    public MatrixMultiply {
        Objects.requireNonNull(type, "type");
        Objects.requireNonNull(weights, "weights");
        Objects.requireNonNull(tile, "tile");
        Objects.requireNonNull(epilogue, "epilogue");
        Objects.requireNonNull(onLoad, "onLoad");
        TiledProduct.require(type, weights, tile, vector, epilogue);
        if (tile.isPatch()) {
            throw new IllegalArgumentException("gemm: " + tile.label() + ", but a product takes rows as they come");
        }
        if (partial && !epilogue.equals(Epilogue.NONE)) {
            throw new IllegalArgumentException("gemm: partial sums with " + epilogue.label());
        }
    }

    /** With weights stored as the tensors. */
    public MatrixMultiply(DataType type, Tile tile, boolean vector, Epilogue epilogue) {
        this(type, type, tile, vector, epilogue);
    }

    /** With whole sums. */
    public MatrixMultiply(DataType type, DataType weights, Tile tile, boolean vector, Epilogue epilogue) {
        this(type, weights, tile, vector, epilogue, false);
    }

    /** With a as it comes. */
    public MatrixMultiply(DataType type, DataType weights, Tile tile, boolean vector, Epilogue epilogue, boolean partial) {
        this(type, weights, tile, vector, epilogue, partial, OnLoad.NOTHING);
    }

    /** Whether sizes and row strides allow vector loads. */
    static boolean canUseVectors(Tile tile, Sizes sizes) {
        return (sizes.columns | sizes.outStride) % FmaProduct.GROUP == 0 && (sizes.channels | sizes.aStride) % tile.vector() == 0;
    }

    @Override
    public String name() {
        return "gemm";
    }

    @Override
    public String variant() {
        return TiledProduct.label(type, weights) + " " + tile.label() + (vector ? " vector " : " any ")
                + (partial ? "partial" : epilogue.label())
                + (onLoad == OnLoad.NOTHING ? "" : " of " + onLoad.label());
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

    /** Whole sums. */
    public KernelCall call(ProductOperands operands, Sizes sizes, Batch batch) {
        if (partial) {
            throw new IllegalArgumentException("gemm " + variant() + " stores no results");
        }
        requireFitting(sizes);
        if (weights == DataType.I8 && batch.count() > 1 && batch.weightStep() != 0) {
            throw new IllegalArgumentException("gemm " + variant() + ": a batch shares weights that have scales");
        }
        TiledProduct.requireSlices(epilogue, tile.statisticsSlice(), sizes.rows);
        if (epilogue.leavesStatistics() && batch.count() > 1) {
            throw new IllegalArgumentException("gemm " + variant() + ": statistics of a batch of " + batch.count() + " matrices");
        }
        if (onLoad != OnLoad.NOTHING && batch.count() > 1) {
            throw new IllegalArgumentException("gemm " + variant() + ": " + batch.count() + " matrices, but only one's rows have factors");
        }
        List<Object> arguments = arguments(operands, operands.out(), sizes);
        arguments.addAll(List.of(sizes.outStride, batch.aStep(), batch.weightStep(), batch.outStep()));
        TiledProduct.addScales(arguments, weights, operands.scales());
        epilogue.addArguments(arguments, operands.bias(), operands.inputs());
        return call(sizes, batch.count(), arguments);
    }

    /** The sums of each part of the channels, {@code [parts, rows, columns]} 32-bit floats of the operands' work. */
    KernelCall partialCall(ProductOperands operands, Sizes sizes, int parts) {
        if (!partial) {
            throw new IllegalArgumentException("gemm " + variant() + " stores no partial sums");
        }
        requireFitting(new Sizes(sizes.rows, sizes.columns, sizes.channels, sizes.aStride, sizes.columns));
        List<Object> arguments = arguments(operands, operands.work(), sizes);
        arguments.add(TiledProduct.slicesOfPart(tile, sizes.channels, 1, parts));
        return call(sizes, parts, arguments);
    }

    private KernelCall call(Sizes sizes, int depth, List<Object> arguments) {
        return new KernelCall(this, Code.blocks(sizes.rows, tile.rows()), Code.blocks(sizes.columns, tile.columns()), depth, arguments);
    }

    /** Those that whole and partial sums have in common. */
    private List<Object> arguments(ProductOperands operands, long out, Sizes sizes) {
        if (onLoad != OnLoad.NOTHING && operands.factors().equals(OnLoad.Factors.NONE)) {
            throw new IllegalArgumentException("gemm " + variant() + " needs the factors of a's channels");
        }
        List<Object> arguments = new ArrayList<>(List.of(operands.left(), operands.weights(), out));
        arguments.addAll(List.of(sizes.rows, sizes.columns, sizes.channels, sizes.aStride));
        LeftChange.addArguments(arguments, onLoad, operands.factors());
        return arguments;
    }

    private void requireFitting(Sizes sizes) {
        if (vector && !canUseVectors(tile, sizes) || epilogue.geglu() && sizes.columns % 2 != 0) {
            throw new IllegalArgumentException("gemm " + variant() + ": " + sizes.columns + " columns, " + sizes.channels
                    + " channels, strides " + sizes.aStride + " and " + sizes.outStride);
        }
    }

    @Override
    public String ptx() {
        PtxFunction f = Code.entry(this);
        Value a = f.parameter("a", PtxType.U64);
        Value weightMatrix = f.parameter("weights", PtxType.U64);
        Value out = f.parameter("out", PtxType.U64);
        Value rows = f.parameter("rows", PtxType.U32);
        Value columns = f.parameter("columns", PtxType.U32);
        Value channels = f.parameter("channels", PtxType.U32);
        Value aStride = f.parameter("a_stride", PtxType.U32);
        LeftChange leftChange = LeftChange.of(f, onLoad, type, channels);
        TiledProduct product = TiledProduct.of(f, type, weights, tile, vector, leftChange);
        if (partial) {
            Value slicesOfPart = f.parameter("slices_of_part", PtxType.U32);
            Value part = f.special("%ctaid.z");
            Value sums = step(f, out, part, f.mul(rows, columns), DataType.F32);
            Results results = new Results(
                    f, DataType.F32, sums, columns, rows, columns, null, epilogue, epilogue.new Text(f, DataType.F32));
            TiledProduct.Operands operands = new TiledProduct.Operands(weightMatrix, rows, columns, channels, part, slicesOfPart);
            product.emit(operands, new Rows(f, type, a, aStride), results);
            return f.moduleText();
        }
        Value outStride = f.parameter("out_stride", PtxType.U32);
        Value matrix = f.special("%ctaid.z");
        Value aBegin = step(f, a, matrix, f.parameter("a_step", PtxType.U32), type);
        Value weightsBegin = step(f, weightMatrix, matrix, f.parameter("weight_step", PtxType.U32), weights);
        Value outBegin = step(f, out, matrix, f.parameter("out_step", PtxType.U32), type);
        Value scales = TiledProduct.scales(f, weights);
        Results results = new Results(f, type, outBegin, outStride, rows, columns, scales, epilogue, epilogue.new Text(f, type));
        TiledProduct.Operands operands = new TiledProduct.Operands(weightsBegin, rows, columns, channels, null, null);
        product.emit(operands, new Rows(f, type, aBegin, aStride), results);
        return f.moduleText();
    }

    private static Value step(PtxFunction f, Value base, Value matrix, Value step, DataType type) {
        return f.mad(f.mulWide(matrix, step), Value.ofLong(type.bytes()), base);
    }

    /** Rows of a matrix. */
    private record Rows(PtxFunction f, DataType type, Value base, Value stride) implements RowSource {
        private record Prepared(Value address, Value inRange) {}

        @Override
        public int taps() {
            return 1;
        }

        @Override
        public Object prepare(Value row, Value inRange) {
            return new Prepared(f.mad(f.mulWide(row, stride), Value.ofLong(type.bytes()), base), inRange);
        }

        @Override
        public void place(Object prepared, Value tap, Place target) {
            Prepared row = (Prepared) prepared;
            f.assign(target.address(), PtxOp.MOV, row.address());
            f.assign(target.valid(), PtxOp.MOV, row.inRange());
        }

        @Override
        public Value step(int rows) {
            return f.mulWide(stride, Value.of(rows * type.bytes()));
        }
    }

    /**
     * One matrix in plain Java; rows of the result are adjacent.
     *
     * @param a as it is multiplied, after {@link OnLoad#reference}
     * @param scales one for each column, or {@code null} for ones
     */
    public float[] reference(float[] a, float[] weights, float[] scales, Sizes sizes, Epilogue.Values values) {
        int columns = sizes.columns;
        int channels = sizes.channels;
        float[] sums = new float[sizes.rows * columns];
        for (int row = 0; row < sizes.rows; row++) {
            for (int column = 0; column < columns; column++) {
                double sum = 0;
                for (int c = 0; c < channels; c++) {
                    sum += (double) a[row * sizes.aStride + c] * weights[column * channels + c];
                }
                sums[row * columns + column] = (float) (scales == null ? sum : sum * scales[column]);
            }
        }
        return epilogue.reference(sums, sizes.rows, columns, values);
    }
}
