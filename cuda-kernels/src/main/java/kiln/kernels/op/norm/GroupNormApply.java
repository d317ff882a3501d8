package kiln.kernels.op.norm;

import java.util.List;
import java.util.Objects;
import kiln.kernels.DataType;
import kiln.kernels.Kernel;
import kiln.kernels.KernelCall;
import kiln.kernels.op.Activation;
import kiln.kernels.op.Code;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxOp;
import kiln.kernels.ptx.PtxType;
import kiln.kernels.ptx.Space;
import kiln.kernels.ptx.Value;

/**
 * Last part of group normalisation: {@code out[b, p, c] = in[b, p, c] · factors[b, 0, c] + factors[b, 1, c]}, then SiLU if asked.
 *
 * <p>{@code out} may be {@code in}.
 *
 * @param width 1 or 4; channels are a multiple of it
 */
public record GroupNormApply(DataType type, int width, boolean silu) implements Kernel {
    private static final int THREADS = 256;

    public GroupNormApply {
        Objects.requireNonNull(type, "type");
        Code.requireWidth(width);
    }

    @Override
    public String name() {
        return "group_norm_apply";
    }

    @Override
    public String variant() {
        return type.label() + " x" + width + (silu ? " silu" : "");
    }

    @Override
    public int threads() {
        return THREADS;
    }

    @Override
    public int registerBudget() {
        return 40;
    }

    /** @param factors of {@link GroupNormScale} */
    public KernelCall call(long in, long factors, long out, int batch, int positions, int channels) {
        if (channels % width != 0) {
            throw new IllegalArgumentException("group norm x" + width + ": " + channels + " channels");
        }
        int blocks = Code.blocks((long) positions * channels, THREADS * width);
        return new KernelCall(this, blocks, batch, 1, List.of(in, factors, out, Math.multiplyExact(positions, channels), channels));
    }

    @Override
    public String ptx() {
        PtxFunction f = Code.entry(this);
        Value in = f.parameter("in", PtxType.U64);
        Value factors = f.parameter("factors", PtxType.U64);
        Value out = f.parameter("out", PtxType.U64);
        Value count = f.parameter("count", PtxType.U32);
        Value channels = f.parameter("channels", PtxType.U32);
        Value index = f.mul(Code.globalThread(f, THREADS), Value.of(width));
        f.when(Code.less(f, index, count), () -> {
            Value picture = f.special("%ctaid.y");
            Value channel = f.compute(PtxOp.REM, index, channels);
            Value place = f.mad(picture, count, index);
            Value factorAddress = f.address(factors, f.mad(f.mul(picture, Value.of(2)), channels, channel), Float.BYTES);
            Value[] factor = Code.loadFloats(f, Space.GLOBAL, DataType.F32, width, factorAddress, 0);
            Value[] addend = Code.loadFloats(f, Space.GLOBAL, DataType.F32, width, f.address(factorAddress, channels, Float.BYTES), 0);
            Value[] x = Code.loadFloats(f, Space.GLOBAL, type, width, f.address(in, place, type.bytes()), 0);
            for (int i = 0; i < width; i++) {
                x[i] = f.mad(x[i], factor[i], addend[i]);
                x[i] = silu ? Activation.SILU.emit(f, x[i]) : x[i];
            }
            Code.storeFloats(f, Space.GLOBAL, type, f.address(out, place, type.bytes()), 0, x);
        });
        return f.moduleText();
    }

    public float[] reference(float[] in, float[] factors, int positions, int channels) {
        float[] out = new float[in.length];
        for (int i = 0; i < in.length; i++) {
            int at = i / (positions * channels) * 2 * channels + i % channels;
            float y = in[i] * factors[at] + factors[at + channels];
            out[i] = silu ? Activation.SILU.apply(y) : y;
        }
        return out;
    }
}
