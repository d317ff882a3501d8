package kiln.kernels.op.product;

import kiln.kernels.DataType;
import kiln.kernels.op.Activation;
import kiln.kernels.op.Arithmetic;
import kiln.kernels.op.TensorCode;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxOp;
import kiln.kernels.ptx.PtxType;
import kiln.kernels.ptx.Space;
import kiln.kernels.ptx.Value;

/**
 * The text of an {@link OnLoad} that does something: loads neighbouring channels' factors of one picture and applies them.
 *
 * @param type of the tensors, which elements are rounded to
 * @param factors the entry's parameter, an address
 * @param channels of the left factor
 */
record LoadText(PtxFunction f, OnLoad onLoad, DataType type, Value factors, Value channels) {
    /** Elements of one load. */
    private static final int VECTOR = 4;

    LoadText {
        if (onLoad == OnLoad.NOTHING) {
            throw new IllegalArgumentException("no text for nothing");
        }
    }

    /** Neighbouring channels' factors, in registers. */
    record Neighbours(Value[] factors, Value[] addends) {}

    /** Registers for so many. */
    Neighbours neighbours(int count) {
        Neighbours result = new Neighbours(new Value[count], new Value[count]);
        for (int i = 0; i < count; i++) {
            result.factors[i] = f.register(PtxType.F32);
            result.addends[i] = f.register(PtxType.F32);
        }
        return result;
    }

    /** Where a picture's factors begin, in elements from the first picture's. */
    Value begin(Value picture) {
        return f.mul(f.mul(channels, picture), Value.of(2));
    }

    /**
     * Loads them where channels and the first one are multiples of four; all must exist.
     *
     * @param begin of the picture
     */
    void load(Neighbours target, Value begin, Value channel) {
        Value factor = address(begin, channel);
        Value addend = f.address(factor, channels, Float.BYTES);
        for (int i = 0; i < target.factors.length; i += VECTOR) {
            load(factor, i, target.factors);
            load(addend, i, target.addends);
        }
    }

    private void load(Value address, int first, Value[] targets) {
        Value[] four = new Value[VECTOR];
        System.arraycopy(targets, first, four, 0, VECTOR);
        f.load(Space.READ_ONLY, address, first * Float.BYTES, four);
    }

    /** The same with any channels; for those beyond the last one, that one's. */
    void loadEach(Neighbours target, Value begin, Value channel) {
        Value last = f.sub(channels, Value.of(1));
        for (int i = 0; i < target.factors.length; i++) {
            Value factor = address(begin, f.compute(PtxOp.MIN, i == 0 ? channel : f.add(channel, Value.of(i)), last));
            f.load(Space.READ_ONLY, factor, 0, target.factors[i]);
            f.load(Space.READ_ONLY, f.address(factor, channels, Float.BYTES), 0, target.addends[i]);
        }
    }

    private Value address(Value begin, Value channel) {
        return f.address(factors, f.add(begin, channel), Float.BYTES);
    }

    /** As many channels' elements as floats, rounded to the tensors' type. */
    Value[] floats(Neighbours neighbours, Value... values) {
        Value[] result = new Value[values.length];
        for (int i = 0; i < values.length; i++) {
            Value value = apply(neighbours, i, values[i]);
            result[i] = type == DataType.F16 ? f.convert(PtxType.F32, f.convert(PtxType.F16, value)) : value;
        }
        return result;
    }

    /** Twice as many channels' elements as words of two halves each. */
    Value[] words(Arithmetic arithmetic, Neighbours neighbours, Value... words) {
        Value[] result = new Value[words.length];
        for (int i = 0; i < words.length; i++) {
            Value[] halves = TensorCode.unpack(f, words[i]);
            Value low = apply(neighbours, 2 * i, f.convert(PtxType.F32, halves[0]));
            Value high = apply(neighbours, 2 * i + 1, f.convert(PtxType.F32, halves[1]));
            result[i] = TensorCode.pack(f, arithmetic, low, high);
        }
        return result;
    }

    private Value apply(Neighbours neighbours, int i, Value x) {
        Value y = f.mad(x, neighbours.factors[i], neighbours.addends[i]);
        return onLoad == OnLoad.AFFINE_SILU ? Activation.SILU.emit(f, y) : y;
    }
}
