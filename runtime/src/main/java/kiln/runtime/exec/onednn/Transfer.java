package kiln.runtime.exec.onednn;

import java.nio.ByteBuffer;

/** 32-bit floats to and from results in memory. */
final class Transfer {
    private Transfer() {}

    static void write(float[] values, ByteBuffer target, int at, NumberFormat format) {
        if (format == NumberFormat.F32) {
            target.slice(at, values.length * Float.BYTES).order(target.order()).asFloatBuffer().put(values);
            return;
        }
        for (int i = 0; i < values.length; i++) {
            target.putShort(at + 2 * i, toBf16(values[i]));
        }
    }

    static float[] read(ByteBuffer source, int count, NumberFormat format) {
        float[] values = new float[count];
        if (format == NumberFormat.F32) {
            source.asFloatBuffer().get(values);
            return values;
        }
        for (int i = 0; i < count; i++) {
            values[i] = Float.intBitsToFloat(source.getShort(2 * i) << 16);
        }
        return values;
    }

    /** Rounds to the nearest, ties to even; not-a-number stays one. */
    static short toBf16(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            return (short) (bits >>> 16 | 0x40);
        }
        return (short) (bits + 0x7fff + (bits >>> 16 & 1) >>> 16);
    }
}
