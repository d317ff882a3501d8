package kiln.kernels.op.element;

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
 * {@code out[row] = [cos(t·f_0), …, cos(t·f_h−1), sin(t·f_0), …]} with {@code f_i = 10000^(−i/h)} and h half the channels, which are even
 * (Ho et al. 2020).
 *
 * <p>The frequencies are a table of 32-bit floats ({@link #frequencies}): at timestep 999 the error of a card's fast power would show.
 */
public record TimestepEmbedding(DataType type) implements Kernel {
    private static final int THREADS = 128;
    /** 2π in two parts; the first has few bits, so that its product with a count of turns is exact. */
    private static final float TURN_HIGH = 6.28125f;

    private static final float TURN_LOW = (float) (2 * Math.PI - TURN_HIGH);

    public TimestepEmbedding {
        Objects.requireNonNull(type, "type");
    }

    @Override
    public String name() {
        return "timestep_embedding";
    }

    @Override
    public String variant() {
        return type.label();
    }

    @Override
    public int threads() {
        return THREADS;
    }

    @Override
    public int registerBudget() {
        return 32;
    }

    /** @param timesteps address of 32-bit floats, one a row */
    public KernelCall call(long timesteps, long frequencies, long out, int rows, int channels) {
        if (channels % 2 != 0) {
            throw new IllegalArgumentException("timestep embedding of " + channels + " channels; an even number is needed");
        }
        int half = channels / 2;
        return new KernelCall(this, Code.blocks((long) rows * half, THREADS), timesteps, frequencies, out, rows * half, half);
    }

    @Override
    public String ptx() {
        PtxFunction f = Code.entry(this);
        Value timesteps = f.parameter("timesteps", PtxType.U64);
        Value frequencies = f.parameter("frequencies", PtxType.U64);
        Value out = f.parameter("out", PtxType.U64);
        Value count = f.parameter("count", PtxType.U32);
        Value half = f.parameter("half", PtxType.U32);
        Value index = Code.globalThread(f, THREADS);
        f.when(Code.less(f, index, count), () -> {
            Value row = f.compute(PtxOp.DIV, index, half);
            Value i = f.sub(index, f.mul(row, half));
            Value timestep = f.load(Space.GLOBAL, PtxType.F32, f.address(timesteps, row, Float.BYTES), 0);
            Value frequency = f.load(Space.GLOBAL, PtxType.F32, f.address(frequencies, i, Float.BYTES), 0);
            Value angle = f.mul(timestep, frequency);
            f.comment("to within half a turn of 0, where the card's functions are exact enough");
            Value turns = f.register(PtxType.F32);
            f.emit("cvt.rni.f32.f32", turns.text(), f.mul(angle, Value.of((float) (0.5 / Math.PI))).text());
            Value rest = f.mad(turns, Value.of(-TURN_LOW), f.mad(turns, Value.of(-TURN_HIGH), angle));
            Value target = f.address(out, f.mad(row, half, index), type.bytes());
            Code.storeFloats(f, Space.GLOBAL, type, target, 0, f.compute(PtxOp.COS, rest));
            Code.storeFloats(f, Space.GLOBAL, type, f.address(target, half, type.bytes()), 0, f.compute(PtxOp.SIN, rest));
        });
        return f.moduleText();
    }

    /** Each step rounded to 32 bits, as in the original program. */
    public static float[] frequencies(int channels) {
        int half = channels / 2;
        float[] result = new float[half];
        for (int i = 0; i < half; i++) {
            result[i] = (float) Math.exp((float) -Math.log(10000) * i / half);
        }
        return result;
    }

    public float[] reference(float[] timesteps, float[] frequencies) {
        int half = frequencies.length;
        float[] out = new float[timesteps.length * 2 * half];
        for (int row = 0; row < timesteps.length; row++) {
            for (int i = 0; i < half; i++) {
                float angle = timesteps[row] * frequencies[i];
                out[row * 2 * half + i] = (float) Math.cos(angle);
                out[row * 2 * half + half + i] = (float) Math.sin(angle);
            }
        }
        return out;
    }
}
