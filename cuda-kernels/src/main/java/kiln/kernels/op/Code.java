package kiln.kernels.op;

import java.util.function.Consumer;
import kiln.kernels.DataType;
import kiln.kernels.Kernel;
import kiln.kernels.ptx.Comparison;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxModule;
import kiln.kernels.ptx.PtxOp;
import kiln.kernels.ptx.PtxType;
import kiln.kernels.ptx.Space;
import kiln.kernels.ptx.Value;

/** Pieces of text that several kernels share. */
public final class Code {
    public static final int WARP = 32;

    private Code() {}

    /** Begins a kernel's text: the module's one entry. */
    public static PtxFunction entry(Kernel kernel) {
        return new PtxModule(kernel.target()).entry(kernel.name(), kernel.threads(), kernel.registerBudget());
    }

    /** @param width neighbouring elements of a thread: one, or four with one load */
    public static void requireWidth(int width) {
        if (width != 1 && width != 4) {
            throw new IllegalArgumentException("width " + width + ", but a thread takes one element or four");
        }
    }

    public static int blocks(long work, int perBlock) {
        return Math.toIntExact(Math.max(1, (work + perBlock - 1) / perBlock));
    }

    public static Value less(PtxFunction f, Value a, Value b) {
        return f.compare(Comparison.LESS, a, b);
    }

    /** Neighbouring elements as 32-bit floats. */
    public static Value[] loadFloats(PtxFunction f, Space space, DataType type, int count, Value address, int offset) {
        Value[] result = new Value[count];
        for (int i = 0; i < count; i++) {
            result[i] = f.register(PtxType.F32);
        }
        loadFloats(f, space, type, address, offset, result);
        return result;
    }

    public static void loadFloats(PtxFunction f, Space space, DataType type, Value address, int offset, Value... targets) {
        if (type == DataType.F32) {
            f.load(space, address, offset, targets);
            return;
        }
        Value[] halves = new Value[targets.length];
        for (int i = 0; i < halves.length; i++) {
            halves[i] = f.register(PtxType.F16);
        }
        f.load(space, address, offset, halves);
        for (int i = 0; i < halves.length; i++) {
            f.emit("cvt.f32.f16", targets[i].text(), halves[i].text());
        }
    }

    public static void storeFloats(PtxFunction f, Space space, DataType type, Value address, int offset, Value... sources) {
        if (type == DataType.F32) {
            f.store(space, address, offset, sources);
            return;
        }
        Value[] halves = new Value[sources.length];
        for (int i = 0; i < halves.length; i++) {
            halves[i] = f.convert(PtxType.F16, sources[i]);
        }
        f.store(space, address, offset, halves);
    }

    /**
     * Four signed bytes of a word as 32-bit floats. Behind the exponent of 2^23 a byte is that many units; with its sign bit turned it is the
     * value + 128. (Converting is a slow instruction on most cards; these are not.)
     */
    public static Value[] bytesToFloats(PtxFunction f, Value word) {
        Value turned = f.register(PtxType.B32);
        f.emit("xor.b32", turned.text(), word.text(), "0x80808080");
        Value[] result = new Value[4];
        for (int i = 0; i < result.length; i++) {
            Value bits = f.register(PtxType.B32);
            f.emit("prmt.b32", bits.text(), turned.text(), "0x4B000000", "0x765" + i);
            Value shifted = f.register(PtxType.F32);
            f.emit("mov.b32", shifted.text(), bits.text());
            result[i] = f.sub(shifted, Value.of(0x1p23f + 128));
        }
        return result;
    }

    /**
     * Four signed bytes of a word as two pairs of halves, by the same way with 2^10. From sm_53 on.
     *
     * @param offset 1152 in both halves: 0x64806480
     */
    public static Value[] bytesToHalves(PtxFunction f, Value word, Value offset) {
        Value turned = f.register(PtxType.B32);
        f.emit("xor.b32", turned.text(), word.text(), "0x80808080");
        Value[] result = new Value[2];
        for (int i = 0; i < result.length; i++) {
            Value bits = f.register(PtxType.B32);
            f.emit("prmt.b32", bits.text(), turned.text(), "0x64646464", i == 0 ? "0x4140" : "0x4342");
            result[i] = f.register(PtxType.B32);
            f.emit("sub.f16x2", result[i].text(), bits.text(), offset.text());
        }
        return result;
    }

    /** blockIdx.x · threads + threadIdx.x. */
    public static Value globalThread(PtxFunction f, int threads) {
        return f.mad(f.special("%ctaid.x"), Value.of(threads), f.special("%tid.x"));
    }

    /** {@code for (counter = counter; counter < end; counter += step) body(counter)}. */
    public static void count(PtxFunction f, Value counter, Value end, Value step, Consumer<Value> body) {
        f.loop(() -> less(f, counter, end), () -> {
            body.accept(counter);
            f.assign(counter, PtxOp.ADD, counter, step);
        });
    }

    /** The sum or the largest over {@code lanes} neighbouring lanes (a power of two), in all of them. */
    public static Value reduce(PtxFunction f, PtxOp op, Value value, int lanes) {
        Value result = value;
        for (int mask = lanes / 2; mask > 0; mask /= 2) {
            result = f.compute(op, result, f.shuffleXor(result, mask));
        }
        return result;
    }

    public static void zero(PtxFunction f, Value... targets) {
        for (Value target : targets) {
            f.assign(target, PtxOp.MOV, Value.of(0f));
        }
    }
}
