package kiln.kernels.op;

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
 * {@code out[row, c] = in[row, c] · gelu(in[row, channels + c])} (Shazeer 2020), for results that were not made by an epilogue.
 *
 * @param width 1 or 4; channels are a multiple of it
 */
public record Geglu(DataType type, int width) implements Kernel {
    private static final int THREADS = 256;

    public Geglu {
        Objects.requireNonNull(type, "type");
        if (width != 1 && width != 4) {
            throw new IllegalArgumentException("width " + width);
        }
    }

    @Override
    public String name() {
        return "geglu";
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
        return 40;
    }

    /** @param channels of the result */
    public KernelCall call(long in, long out, int rows, int channels) {
        if (channels % width != 0) {
            throw new IllegalArgumentException("geglu x" + width + ": " + channels + " channels");
        }
        return new KernelCall(this, Code.blocks((long) rows * channels, THREADS * width), in, out, Math.multiplyExact(rows, channels), channels);
    }

    @Override
    public String ptx() {
        PtxModule module = new PtxModule(Code.FLOOR);
        PtxFunction f = module.entry(name(), THREADS, registerBudget());
        Value in = f.parameter("in", PtxType.U64);
        Value out = f.parameter("out", PtxType.U64);
        Value count = f.parameter("count", PtxType.U32);
        Value channels = f.parameter("channels", PtxType.U32);
        Value index = f.mul(Code.globalThread(f, THREADS), Value.of(width));
        f.when(Code.less(f, index, count), () -> {
            f.comment("a row of in is twice as long");
            Value place = f.mad(f.compute(PtxOp.DIV, index, channels), channels, index);
            Value[] values = Code.loadFloats(f, Space.GLOBAL, type, width, f.address(in, place, type.bytes()), 0);
            Value gateAddress = f.address(in, f.add(place, channels), type.bytes());
            Value[] gates = Code.loadFloats(f, Space.GLOBAL, type, width, gateAddress, 0);
            for (int i = 0; i < width; i++) {
                values[i] = f.mul(values[i], Activation.GELU.emit(f, gates[i]));
            }
            Code.storeFloats(f, Space.GLOBAL, type, f.address(out, index, type.bytes()), 0, values);
        });
        return module.text();
    }

    public float[] reference(float[] in, int channels) {
        float[] out = new float[in.length / 2];
        for (int i = 0; i < out.length; i++) {
            int at = i / channels * 2 * channels + i % channels;
            out[i] = in[at] * Activation.GELU.apply(in[at + channels]);
        }
        return out;
    }
}
