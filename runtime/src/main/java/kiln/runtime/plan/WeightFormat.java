package kiln.runtime.plan;

import kiln.runtime.graph.Op;
import kiln.runtime.graph.Weight;

/** How parameters are stored on a device, which also decides how results are. Biases, scales and shifts stay in 32 bits. */
public enum WeightFormat {
    F16("f16", 2),
    F32("f32", 4),
    /** Large matrices and kernels in 8 bits with a 32-bit scale per output channel; everything else as in {@link #F16}. */
    INT8("int8", 2);

    /** Smaller ones would save nothing worth their loss of precision. */
    private static final long SMALLEST_INT8_ELEMENTS = 1 << 16;

    private final String word;
    private final int resultBytes;

    WeightFormat(String word, int resultBytes) {
        this.word = word;
        this.resultBytes = resultBytes;
    }

    /** "f16", "f32" or "int8". */
    public String word() {
        return word;
    }

    /** Bytes per element of a result. */
    public int resultBytes() {
        return resultBytes;
    }

    /** Bytes of a parameter that a node reads. */
    public long bytes(Op op, Weight weight) {
        if (weight.shape().size() < 2) {
            return Math.multiplyExact(weight.elements(), Float.BYTES);
        }
        boolean matrix = op instanceof Op.Linear || op instanceof Op.LinearGeglu || op instanceof Op.Conv2d;
        if (this == INT8 && matrix && weight.elements() >= SMALLEST_INT8_ELEMENTS) {
            return weight.elements() + (long) Float.BYTES * weight.rows();
        }
        return Math.multiplyExact(weight.elements(), resultBytes);
    }
}
