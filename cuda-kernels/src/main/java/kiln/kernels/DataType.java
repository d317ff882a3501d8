package kiln.kernels;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import kiln.kernels.ptx.PtxType;

/** How a kernel's tensors are stored; arithmetic and sums are 32-bit floats with any of them. */
public enum DataType {
    F16(PtxType.F16),
    F32(PtxType.F32),
    /** Whole numbers from -127 to 127: weights only, with a scale for each output channel ({@link kiln.kernels.op.product.QuantizedRows}). */
    I8(PtxType.S8);

    /** What activations, results and unquantised weights can be. */
    public static final List<DataType> FLOATS = List.of(F16, F32);

    private final PtxType ptx;

    DataType(PtxType ptx) {
        this.ptx = ptx;
    }

    public PtxType ptx() {
        return ptx;
    }

    public int bytes() {
        return ptx.bytes();
    }

    /** As in variants' names: "f16". */
    public String label() {
        return this == I8 ? "i8" : ptx.suffix();
    }

    /** Little-endian bytes of the values, rounded to this type. */
    public byte[] encode(float[] values) {
        ByteBuffer out = ByteBuffer.allocate(values.length * bytes()).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) {
            switch (this) {
                case F16 -> out.putShort(HalfFloats.toHalf(value));
                case F32 -> out.putFloat(value);
                case I8 -> out.put((byte) Math.rint(value));
            }
        }
        return out.array();
    }

    public float[] decode(byte[] encoded) {
        ByteBuffer in = ByteBuffer.wrap(encoded).order(ByteOrder.LITTLE_ENDIAN);
        float[] values = new float[encoded.length / bytes()];
        for (int i = 0; i < values.length; i++) {
            values[i] = switch (this) {
                case F16 -> HalfFloats.toFloat(in.getShort());
                case F32 -> in.getFloat();
                case I8 -> in.get();
            };
        }
        return values;
    }
}
