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
 * {@code out[row, c] = tokens[id(row), c] + places[row mod length, c]}; ids are whole numbers in 32-bit floats, as a graph's exact inputs
 * are. An id outside the table is the caller's error: it reads elsewhere.
 */
public record Embedding(DataType type) implements Kernel {
    private static final int THREADS = 256;

    public Embedding {
        Objects.requireNonNull(type, "type");
    }

    @Override
    public String name() {
        return "embedding";
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

    /** @param length places in a sequence; rows are sequences behind each other */
    public KernelCall call(long ids, long tokens, long places, long out, int rows, int length, int channels) {
        return new KernelCall(
                this, Code.blocks((long) rows * channels, THREADS), ids, tokens, places, out, Math.multiplyExact(rows, channels), length, channels);
    }

    @Override
    public String ptx() {
        PtxFunction f = Code.entry(this);
        Value ids = f.parameter("ids", PtxType.U64);
        Value tokens = f.parameter("tokens", PtxType.U64);
        Value places = f.parameter("places", PtxType.U64);
        Value out = f.parameter("out", PtxType.U64);
        Value count = f.parameter("count", PtxType.U32);
        Value length = f.parameter("length", PtxType.U32);
        Value channels = f.parameter("channels", PtxType.U32);
        Value index = Code.globalThread(f, THREADS);
        f.when(Code.less(f, index, count), () -> {
            Value row = f.compute(PtxOp.DIV, index, channels);
            Value channel = f.sub(index, f.mul(row, channels));
            Value id = f.convert(PtxType.U32, f.load(Space.GLOBAL, PtxType.F32, f.address(ids, row, Float.BYTES), 0));
            Value place = f.compute(PtxOp.REM, row, length);
            Value tokenAddress = f.address(tokens, f.mad(id, channels, channel), type.bytes());
            Value placeAddress = f.address(places, f.mad(place, channels, channel), type.bytes());
            Value token = Code.loadFloats(f, Space.GLOBAL, type, 1, tokenAddress, 0)[0];
            Value position = Code.loadFloats(f, Space.GLOBAL, type, 1, placeAddress, 0)[0];
            Code.storeFloats(f, Space.GLOBAL, type, f.address(out, index, type.bytes()), 0, f.add(token, position));
        });
        return f.moduleText();
    }

    public float[] reference(float[] ids, float[] tokens, float[] places, int length, int channels) {
        float[] out = new float[ids.length * channels];
        for (int i = 0; i < out.length; i++) {
            int row = i / channels;
            int channel = i % channels;
            out[i] = tokens[(int) ids[row] * channels + channel] + places[row % length * channels + channel];
        }
        return out;
    }
}
