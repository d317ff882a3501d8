package kiln.kernels.op.norm;

import java.util.Objects;
import java.util.function.Consumer;
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
 * {@code out[row, c] = (in[row, c] − mean) / √(variance + epsilon) · scale[c] + shift[c]}, mean and variance (by n) over the row's channels.
 *
 * <p>One warp does a row and reads it three times, the last two from its cache: the variance is summed around the mean, which loses
 * nothing. {@code out} may be {@code in}.
 *
 * @param width 1 or 4; channels are a multiple of it
 */
public record LayerNorm(DataType type, int width) implements Kernel {
    private static final int THREADS = 128;

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
        return THREADS;
    }

    @Override
    public int registerBudget() {
        return 48;
    }

    public KernelCall call(long in, long scale, long shift, long out, int rows, int channels, float epsilon) {
        if (channels % width != 0) {
            throw new IllegalArgumentException("layer norm x" + width + ": " + channels + " channels");
        }
        return new KernelCall(this, Code.blocks(rows, THREADS / Code.WARP), in, scale, shift, out, rows, channels, epsilon);
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
        Value thread = Code.globalThread(f, THREADS);
        Value row = f.compute(PtxOp.SHR, thread, Value.of(5));
        Value lane = f.and(thread, Value.of(Code.WARP - 1));
        f.comment("a warp's lanes all have the same row: they leave or stay together");
        f.when(Code.less(f, row, rows), () -> {
            Value begin = f.mul(row, channels);
            Value count = f.convert(PtxType.F32, channels);
            Value sum = f.move(Value.of(0f));
            f.comment("mean");
            overRow(f, lane, channels, c -> {
                for (Value x : load(f, in, f.add(begin, c))) {
                    f.assign(sum, PtxOp.ADD, sum, x);
                }
            });
            Value mean = f.compute(PtxOp.DIV, Code.reduce(f, PtxOp.ADD, sum, Code.WARP), count);
            Value squares = f.move(Value.of(0f));
            f.comment("variance");
            overRow(f, lane, channels, c -> {
                for (Value x : load(f, in, f.add(begin, c))) {
                    Value difference = f.sub(x, mean);
                    f.assign(squares, PtxOp.MAD, difference, difference, squares);
                }
            });
            Value variance = f.compute(PtxOp.DIV, Code.reduce(f, PtxOp.ADD, squares, Code.WARP), count);
            Value inverse = f.compute(PtxOp.RSQRT, f.add(variance, epsilon));
            f.comment("result");
            overRow(f, lane, channels, c -> {
                Value[] x = load(f, in, f.add(begin, c));
                Value[] scales = load(f, scale, c);
                Value[] shifts = load(f, shift, c);
                for (int i = 0; i < width; i++) {
                    x[i] = f.mad(f.mul(f.sub(x[i], mean), inverse), scales[i], shifts[i]);
                }
                Code.storeFloats(f, Space.GLOBAL, type, f.address(out, f.add(begin, c), type.bytes()), 0, x);
            });
        });
        return f.moduleText();
    }

    private Value[] load(PtxFunction f, Value base, Value index) {
        return Code.loadFloats(f, Space.GLOBAL, type, width, f.address(base, index, type.bytes()), 0);
    }

    private void overRow(PtxFunction f, Value lane, Value channels, Consumer<Value> body) {
        Code.count(f, f.mul(lane, Value.of(width)), channels, Value.of(Code.WARP * width), body);
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
