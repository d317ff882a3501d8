package kiln.kernels;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import kiln.kernels.ptx.PtxType;

/** How a kernel's tensors are stored; arithmetic and sums are 32-bit floats with either. */
public enum DataType {
    F16(PtxType.F16),
    F32(PtxType.F32);

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
        return ptx.suffix();
    }

    /** Little-endian bytes of the values, rounded to this type. */
    public byte[] encode(float[] values) {
        ByteBuffer out = ByteBuffer.allocate(values.length * bytes()).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) {
            if (this == F16) {
                out.putShort(HalfFloats.toHalf(value));
            } else {
                out.putFloat(value);
            }
        }
        return out.array();
    }

    public float[] decode(byte[] encoded) {
        ByteBuffer in = ByteBuffer.wrap(encoded).order(ByteOrder.LITTLE_ENDIAN);
        float[] values = new float[encoded.length / bytes()];
        for (int i = 0; i < values.length; i++) {
            values[i] = this == F16 ? HalfFloats.toFloat(in.getShort()) : in.getFloat();
        }
        return values;
    }
}
