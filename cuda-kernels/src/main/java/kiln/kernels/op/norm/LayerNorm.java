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
 * {@code out[row, c] = (in[row, c] − mean) / √(variance + epsilon) · scale[c] + shift[c]}, mean and variance (by n) over the row's channels.
 *
 * <p>One warp does a row and reads it three times, the last two from its cache: the variance is summed around the mean, which loses
 * nothing. {@code out} may be {@code in}.
 *
 * @param width 1 or 4; channels are a multiple of it
 */
public record LayerNorm(DataType type, int width) implements Kernel {
    public LayerNorm {
        Objects.requireNonNull(type, "type");
        Code.requireWidth(width);
    }

    @Override
    public String name() {
        return "layer_norm";
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
        return 48;
    }

    public KernelCall call(long in, long scale, long shift, long out, int rows, int channels, float epsilon) {
        if (channels % width != 0) {
            throw new IllegalArgumentException("layer norm x" + width + ": " + channels + " channels");
        }
        return new KernelCall(this, WarpRow.blocks(rows), in, scale, shift, out, rows, channels, epsilon);
    }

    @Override
    public String ptx() {
        PtxFunction f = Code.entry(this);
        Value in = f.parameter("in", PtxType.U64);
        Value scale = f.parameter("scale", PtxType.U64);
        Value shift = f.parameter("shift", PtxType.U64);
        Value out = f.parameter("out", PtxType.U64);
        Value rows = f.parameter("rows", PtxType.U32);
        Value channels = f.parameter("channels", PtxType.U32);
        Value epsilon = f.parameter("epsilon", PtxType.F32);
        WarpRow row = WarpRow.of(f, type, width);
        f.comment("a warp's lanes all have the same row: they leave or stay together");
        f.when(Code.less(f, row.row(), rows), () -> {
            Value begin = f.mul(row.row(), channels);
            Value count = f.convert(PtxType.F32, channels);
            Value sum = f.move(Value.of(0f));
            f.comment("mean");
            row.each(channels, c -> {
                for (Value x : row.load(in, f.add(begin, c))) {
                    f.assign(sum, PtxOp.ADD, sum, x);
                }
            });
            Value mean = f.compute(PtxOp.DIV, Code.reduce(f, PtxOp.ADD, sum, Code.WARP), count);
            Value squares = f.move(Value.of(0f));
            f.comment("variance");
            row.each(channels, c -> {
                for (Value x : row.load(in, f.add(begin, c))) {
                    Value difference = f.sub(x, mean);
                    f.assign(squares, PtxOp.MAD, difference, difference, squares);
                }
            });
            Value variance = f.compute(PtxOp.DIV, Code.reduce(f, PtxOp.ADD, squares, Code.WARP), count);
            Value inverse = f.compute(PtxOp.RSQRT, f.add(variance, epsilon));
            f.comment("result");
            row.each(channels, c -> {
                Value[] x = row.load(in, f.add(begin, c));
                Value[] scales = row.load(scale, c);
                Value[] shifts = row.load(shift, c);
                for (int i = 0; i < width; i++) {
                    x[i] = f.mad(f.mul(f.sub(x[i], mean), inverse), scales[i], shifts[i]);
                }
                row.store(out, f.add(begin, c), x);
            });
        });
        return f.moduleText();
    }

    public float[] reference(float[] in, float[] scale, float[] shift, int channels, float epsilon) {
        float[] out = new float[in.length];
        for (int begin = 0; begin < in.length; begin += channels) {
            double mean = 0;
            for (int c = 0; c < channels; c++) {
                mean += in[begin + c] / (double) channels;
            }
            double variance = 0;
            for (int c = 0; c < channels; c++) {
                variance += (in[begin + c] - mean) * (in[begin + c] - mean) / channels;
            }
            for (int c = 0; c < channels; c++) {
                out[begin + c] = (float) ((in[begin + c] - mean) / Math.sqrt(variance + epsilon) * scale[c] + shift[c]);
            }
        }
        return out;
    }
}
