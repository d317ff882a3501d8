package kiln.kernels.op.norm;

import java.util.Objects;
import kiln.kernels.DataType;
import kiln.kernels.Kernel;
import kiln.kernels.KernelCall;
import kiln.kernels.op.Code;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxOp;
import kiln.kernels.ptx.PtxType;
import kiln.kernels.ptx.Value;

/**
 * {@code out[row, c] = e^(factor·in[row, c] − m) / Σ}, m the row's largest: the full-matrix attention's middle part.
 *
 * <p>One warp does a row. {@code out} may be {@code in}.
 *
 * @param width 1 or 4; columns are a multiple of it
 */
public record Softmax(DataType type, int width) implements Kernel {
    private static final double LOG2_E = 1.4426950408889634;

    public Softmax {
        Objects.requireNonNull(type, "type");
        Code.requireWidth(width);
    }

    @Override
    public String name() {
        return "softmax";
    }

    @Override
    public String variant() {
        return type.label() + " x" + width;
    }

    @Override
    public int threads() {
        return WarpRow.THREADS;
    }

    @Override
    public int registerBudget() {
        return 40;
    }

    /** @param factor positive: what values are multiplied by first */
    public KernelCall call(long in, long out, int rows, int columns, float factor) {
        if (columns % width != 0 || !(factor > 0)) {
            throw new IllegalArgumentException("softmax x" + width + ": " + columns + " columns, factor " + factor);
        }
        return new KernelCall(this, WarpRow.blocks(rows), in, out, rows, columns, (float) (factor * LOG2_E));
    }

    @Override
    public String ptx() {
        PtxFunction f = Code.entry(this);
        Value in = f.parameter("in", PtxType.U64);
        Value out = f.parameter("out", PtxType.U64);
        Value rows = f.parameter("rows", PtxType.U32);
        Value columns = f.parameter("columns", PtxType.U32);
        Value factor = f.parameter("factor_log2e", PtxType.F32);
        WarpRow row = WarpRow.of(f, type, width);
        f.when(Code.less(f, row.row(), rows), () -> {
            Value begin = f.mul(row.row(), columns);
            Value largest = f.move(Value.of(Float.NEGATIVE_INFINITY));
            row.each(columns, c -> {
                for (Value x : row.load(in, f.add(begin, c))) {
                    f.assign(largest, PtxOp.MAX, largest, x);
                }
            });
            Value scaledLargest = f.mul(Code.reduce(f, PtxOp.MAX, largest, Code.WARP), factor);
            Value offset = f.compute(PtxOp.NEG, scaledLargest);
            Value sum = f.move(Value.of(0f));
            row.each(columns, c -> {
                for (Value x : row.load(in, f.add(begin, c))) {
                    f.assign(sum, PtxOp.ADD, sum, f.compute(PtxOp.EXP2, f.mad(x, factor, offset)));
                }
            });
            Value inverse = f.compute(PtxOp.RECIPROCAL, Code.reduce(f, PtxOp.ADD, sum, Code.WARP));
            row.each(columns, c -> {
                Value[] x = row.load(in, f.add(begin, c));
                for (int i = 0; i < width; i++) {
                    x[i] = f.mul(f.compute(PtxOp.EXP2, f.mad(x[i], factor, offset)), inverse);
                }
                row.store(out, f.add(begin, c), x);
            });
        });
        return f.moduleText();
    }

    public float[] reference(float[] in, int columns, float factor) {
        float[] out = new float[in.length];
        for (int begin = 0; begin < in.length; begin += columns) {
            double largest = Double.NEGATIVE_INFINITY;
            for (int c = 0; c < columns; c++) {
                largest = Math.max(largest, factor * (double) in[begin + c]);
            }
            double sum = 0;
            for (int c = 0; c < columns; c++) {
                sum += Math.exp(factor * (double) in[begin + c] - largest);
            }
            for (int c = 0; c < columns; c++) {
                out[begin + c] = (float) (Math.exp(factor * (double) in[begin + c] - largest) / sum);
            }
        }
        return out;
    }
}
