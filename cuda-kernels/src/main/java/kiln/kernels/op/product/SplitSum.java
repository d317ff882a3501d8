package kiln.kernels.op.product;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import kiln.kernels.DataType;
import kiln.kernels.Kernel;
import kiln.kernels.KernelCall;
import kiln.kernels.op.Code;
import kiln.kernels.op.ColumnStatistics;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxOp;
import kiln.kernels.ptx.PtxType;
import kiln.kernels.ptx.Space;
import kiln.kernels.ptx.Value;

/**
 * Adds the parts of a split product's sums, {@code work [parts, rows, columns]} of 32-bit floats, always in the order of the parts, and ends
 * with the product's {@link Epilogue}.
 *
 * @param scaled whether the columns have scales (weights stored as bytes)
 * @param width neighbouring columns of a thread, which columns are a multiple of; so is the result's stride of the results that they make
 */
public record SplitSum(DataType type, boolean scaled, int width, Epilogue epilogue) implements Kernel {
    private static final int THREADS = 128;
    /** Rows whose results make one slice of statistics: a block's, with a row of threads for each. */
    public static final int SLICE = 32;
    /** Threads of such a row. */
    private static final int SLICE_GROUPS = 8;

    public SplitSum {
        Objects.requireNonNull(type, "type");
        Objects.requireNonNull(epilogue, "epilogue");
        ColumnGroups.require("sum", width, epilogue);
        if (epilogue.leavesStatistics() && width != FmaProduct.GROUP) {
            throw new IllegalArgumentException("split_sum " + epilogue.label() + " of " + width + " columns a thread");
        }
    }

    /** The variant that ends a product of those columns. */
    public static SplitSum of(DataType type, DataType weights, Epilogue epilogue, int columns, int outStride) {
        boolean fits = outStride % epilogue.resultColumns(FmaProduct.GROUP) == 0;
        int width = fits ? ColumnGroups.width(columns, epilogue) : ColumnGroups.narrow(epilogue);
        return new SplitSum(type, weights == DataType.I8, width, epilogue);
    }

    @Override
    public String name() {
        return "split_sum";
    }

    @Override
    public String variant() {
        return type.label() + (scaled ? " scaled x" : " x") + width + " " + epilogue.label();
    }

    @Override
    public int threads() {
        return epilogue.leavesStatistics() ? SLICE * SLICE_GROUPS : THREADS;
    }

    @Override
    public int registerBudget() {
        return 64;
    }

    /** Adds the parts that lie in the operands' work: the results of some rows. */
    public KernelCall call(ProductOperands operands, int parts, int rows, int columns, int outStride) {
        if (columns % width != 0 || outStride % epilogue.resultColumns(width) != 0) {
            throw new IllegalArgumentException("split_sum " + variant() + ": " + columns + " columns, stride " + outStride);
        }
        List<Object> arguments = new ArrayList<>(List.of(operands.work(), parts, operands.out(), rows, columns, outStride));
        if (scaled) {
            arguments.add(operands.scales());
        }
        epilogue.addArguments(arguments, operands.bias(), operands.inputs());
        if (epilogue.leavesStatistics()) {
            TiledProduct.requireSlices(epilogue, SLICE, rows);
            return new KernelCall(this, rows / SLICE, Code.blocks(columns, SLICE_GROUPS * width), 1, arguments);
        }
        return new KernelCall(this, ColumnGroups.blocks(rows, columns, width, THREADS), 1, 1, arguments);
    }

    @Override
    public String ptx() {
        PtxFunction f = Code.entry(this);
        Value work = f.parameter("work", PtxType.U64);
        Value parts = f.parameter("parts", PtxType.U32);
        Value out = f.parameter("out", PtxType.U64);
        Value rows = f.parameter("rows", PtxType.U32);
        Value columns = f.parameter("columns", PtxType.U32);
        Value outStride = f.parameter("out_stride", PtxType.U32);
        Value scales = scaled ? f.parameter("scales", PtxType.U64) : null;
        Epilogue.Text text = epilogue.new Text(f, type);
        Results results = new Results(f, type, out, outStride, rows, columns, scales, epilogue, text);
        if (epilogue.leavesStatistics()) {
            sumSlice(f, work, parts, results);
        } else {
            ColumnGroups place = ColumnGroups.of(f, THREADS, columns, width);
            f.when(Code.less(f, place.row(), rows), () -> {
                Value[] sums = new Value[width];
                Arrays.setAll(sums, i -> f.register(PtxType.F32));
                sum(f, work, parts, results, place, sums);
                results.run(place.column(), width).store(place.row(), sums);
            });
        }
        return f.moduleText();
    }

    private static void sum(PtxFunction f, Value work, Value parts, Results results, ColumnGroups place, Value[] sums) {
        Value address = f.address(work, f.mad(place.row(), results.columns(), place.column()), Float.BYTES);
        Value step = f.mad(f.mulWide(results.rows(), results.columns()), Value.ofLong(Float.BYTES), Value.ofLong(0));
        f.comment("the first part, then the others in their order");
        Code.loadFloats(f, Space.GLOBAL, DataType.F32, address, 0, sums);
        Code.count(f, f.move(Value.of(1).as(PtxType.U32)), parts, Value.of(1), part -> {
            f.assign(address, PtxOp.ADD, address, step);
            Value[] more = Code.loadFloats(f, Space.GLOBAL, DataType.F32, sums.length, address, 0);
            for (int i = 0; i < sums.length; i++) {
                f.assign(sums[i], PtxOp.ADD, sums[i], more[i]);
            }
        });
    }

    /** A block takes a slice of rows and as many columns as a row of its threads has. */
    private void sumSlice(PtxFunction f, Value work, Value parts, Results results) {
        Value thread = f.special("%tid.x");
        Value group = f.and(thread, Value.of(SLICE_GROUPS - 1));
        Value slice = f.special("%ctaid.x");
        Value row = f.mad(slice, Value.of(SLICE), f.compute(PtxOp.DIV, thread, Value.of(SLICE_GROUPS)));
        Value firstColumn = f.mul(f.special("%ctaid.y"), Value.of(SLICE_GROUPS * width));
        ColumnGroups place = new ColumnGroups(row, f.mad(group, Value.of(width), firstColumn));
        Value[] sums = new Value[width];
        Arrays.setAll(sums, i -> f.move(Value.of(0f)));
        f.when(Code.less(f, place.column(), results.columns()), () -> sum(f, work, parts, results, place, sums));
        Value[][] stored = {results.run(place.column(), width).store(row, sums)};
        f.comment("the statistics of each warp's rows, then of all");
        int warpRows = Code.WARP / SLICE_GROUPS;
        int warps = SLICE / warpRows;
        int warpBytes = SLICE_GROUPS * width * ColumnStatistics.PAIR_BYTES;
        Value shared = f.shared("statistics", warps * warpBytes);
        ColumnStatistics ofWarp = ColumnStatistics.of(f, stored, SLICE_GROUPS);
        Value lane = f.and(thread, Value.of(Code.WARP - 1));
        Value warp = f.compute(PtxOp.DIV, thread, Value.of(Code.WARP));
        Value mine = f.mad(group, Value.of(width * ColumnStatistics.PAIR_BYTES), f.mad(warp, Value.of(warpBytes), shared));
        f.guarded(Code.less(f, lane, Value.of(SLICE_GROUPS)), () -> ofWarp.store(f, Space.SHARED, mine));
        f.barrier();
        Value takes = Code.less(f, thread, Value.of(SLICE_GROUPS * width));
        f.when(takes, () -> {
            Value first = f.mad(thread, Value.of(ColumnStatistics.PAIR_BYTES), shared);
            ColumnStatistics all = ColumnStatistics.combined(f, first, warps, warpBytes, warpRows);
            results.storeStatistics(all, takes, row, slice, f.add(firstColumn, thread));
        });
    }

    /** The same in plain Java, as {@link MatrixMultiply#reference}; rows of the result are adjacent. */
    public float[] reference(float[] work, int parts, float[] scales, int rows, int columns, Epilogue.Values values) {
        float[] sums = new float[rows * columns];
        for (int i = 0; i < sums.length; i++) {
            double sum = 0;
            for (int part = 0; part < parts; part++) {
                sum += work[part * sums.length + i];
            }
            sums[i] = (float) (scales == null ? sum : sum * scales[i % columns]);
        }
        return epilogue.reference(sums, rows, columns, values);
    }
}
