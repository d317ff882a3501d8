package kiln.kernels.op;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import kiln.kernels.DataType;
import kiln.kernels.Kernel;
import kiln.kernels.KernelCall;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxModule;
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
    /** Rows whose results make one slice of statistics. */
    static final int SLICE = 32;

    public SplitSum {
        Objects.requireNonNull(type, "type");
        Objects.requireNonNull(epilogue, "epilogue");
        ColumnGroups.require("sum", width, epilogue);
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
        return THREADS;
    }

    @Override
    public int registerBudget() {
        return 64;
    }

    /** Arguments as for {@link MatrixMultiply#call}. */
    public KernelCall call(
            long work, int parts, long scales, long out, int rows, int columns, int outStride, long bias, List<Epilogue.Input> inputs) {
        if (columns % width != 0 || outStride % epilogue.resultColumns(width) != 0) {
            throw new IllegalArgumentException("split_sum " + variant() + ": " + columns + " columns, stride " + outStride);
        }
        List<Object> arguments = new ArrayList<>(List.of(work, parts, out, rows, columns, outStride));
        if (scaled) {
            arguments.add(scales);
        }
        epilogue.addArguments(arguments, bias, inputs);
        return new KernelCall(this, ColumnGroups.blocks(rows, columns, width, THREADS), 1, 1, arguments);
    }

    @Override
    public String ptx() {
        PtxModule module = new PtxModule(target());
        PtxFunction f = module.entry(name(), threads(), registerBudget());
        Value work = f.parameter("work", PtxType.U64);
        Value parts = f.parameter("parts", PtxType.U32);
        Value out = f.parameter("out", PtxType.U64);
        Value rows = f.parameter("rows", PtxType.U32);
        Value columns = f.parameter("columns", PtxType.U32);
        Value outStride = f.parameter("out_stride", PtxType.U32);
        Value scales = scaled ? f.parameter("scales", PtxType.U64) : null;
        Epilogue.Text text = epilogue.new Text(f, type);
        ColumnGroups place = ColumnGroups.of(f, THREADS, columns, width);
        Value row = place.row();
        Value column = place.column();
        f.when(Code.less(f, row, rows), () -> {
            Value address = f.address(work, f.mad(row, columns, column), Float.BYTES);
            Value step = f.mad(f.mulWide(rows, columns), Value.ofLong(Float.BYTES), Value.ofLong(0));
            f.comment("the first part, then the others in their order");
            Value[] sums = Code.loadFloats(f, Space.GLOBAL, DataType.F32, width, address, 0);
            Code.count(f, f.move(Value.of(1).as(PtxType.U32)), parts, Value.of(1), part -> {
                f.assign(address, PtxOp.ADD, address, step);
                Value[] more = Code.loadFloats(f, Space.GLOBAL, DataType.F32, width, address, 0);
                for (int i = 0; i < sums.length; i++) {
                    f.assign(sums[i], PtxOp.ADD, sums[i], more[i]);
                }
            });
            new Results(f, type, out, outStride, rows, columns, scales, epilogue, text).run(column, width).store(row, sums);
        });
        return module.text();
    }

    /** The same in plain Java, as {@link MatrixMultiply#reference}; rows of the result are adjacent. */
    public float[] reference(
            float[] work, int parts, float[] scales, int rows, int columns, float[] bias, List<float[]> added, List<Integer> steps) {
        float[] sums = new float[rows * columns];
        for (int i = 0; i < sums.length; i++) {
            double sum = 0;
            for (int part = 0; part < parts; part++) {
                sum += work[part * sums.length + i];
            }
            sums[i] = (float) (scales == null ? sum : sum * scales[i % columns]);
        }
        return epilogue.reference(sums, rows, columns, bias, added, steps);
    }
}
