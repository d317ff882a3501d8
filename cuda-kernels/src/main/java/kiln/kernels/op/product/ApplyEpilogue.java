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
import kiln.kernels.ptx.Space;
import kiln.kernels.ptx.Value;

/**
 * {@code out = epilogue(sums)}, for sums {@code [rows, columns]} that were stored as results by somebody else, as NVIDIA's libraries do.
 *
 * <p>{@code out} may be {@code sums} unless the epilogue halves the columns.
 *
 * @param width neighbouring columns of a thread, which columns are a multiple of
 */
public record ApplyEpilogue(DataType type, int width, Epilogue epilogue) implements Kernel {
    private static final int THREADS = 256;

    public ApplyEpilogue {
        Objects.requireNonNull(type, "type");
        Objects.requireNonNull(epilogue, "epilogue");
        ColumnGroups.require("epilogue", width, epilogue);
        if (epilogue.leavesStatistics()) {
            throw new IllegalArgumentException(
                    "epilogue " + epilogue.label() + ": one that is applied by itself leaves no statistics, use group_norm_statistics");
        }
    }

    /** The variant for so many columns. */
    public static ApplyEpilogue of(DataType type, Epilogue epilogue, int columns) {
        return new ApplyEpilogue(type, ColumnGroups.width(columns, epilogue), epilogue);
    }

    @Override
    public String name() {
        return "epilogue";
    }

    @Override
    public String variant() {
        return type.label() + " x" + width + " " + epilogue.label();
    }

    @Override
    public int threads() {
        return THREADS;
    }

    @Override
    public int registerBudget() {
        return 64;
    }

    /** Bias and inputs as in {@link ProductOperands}; the result's rows are adjacent. */
    public KernelCall call(long sums, long out, int rows, int columns, long bias, List<Epilogue.Input> inputs) {
        if (columns % width != 0) {
            throw new IllegalArgumentException("epilogue " + variant() + ": " + columns + " columns");
        }
        List<Object> arguments = new ArrayList<>(List.of(sums, out, rows, columns));
        epilogue.addArguments(arguments, bias, inputs);
        return new KernelCall(this, ColumnGroups.blocks(rows, columns, width, THREADS), 1, 1, arguments);
    }

    @Override
    public String ptx() {
        PtxFunction f = Code.entry(this);
        Value sums = f.parameter("sums", PtxType.U64);
        Value out = f.parameter("out", PtxType.U64);
        Value rows = f.parameter("rows", PtxType.U32);
        Value columns = f.parameter("columns", PtxType.U32);
        Epilogue.Text text = epilogue.new Text(f, type);
        ColumnGroups place = ColumnGroups.of(f, THREADS, columns, width);
        Value row = place.row();
        Value column = place.column();
        f.when(Code.less(f, row, rows), () -> {
            Value[] values = Code.loadFloats(f, Space.GLOBAL, type, width, f.address(sums, f.mad(row, columns, column), type.bytes()), 0);
            Value outStride = epilogue.geglu() ? f.compute(PtxOp.SHR, columns, Value.of(1)) : columns;
            new Results(f, type, out, outStride, rows, columns, null, epilogue, text).run(column, width).store(row, values);
        });
        return f.moduleText();
    }

    /** The same in plain Java; rows of the sums and of the result are adjacent. */
    public float[] reference(float[] sums, int rows, int columns, Epilogue.Values values) {
        return epilogue.reference(sums, rows, columns, values);
    }
}
