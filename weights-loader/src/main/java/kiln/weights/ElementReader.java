package kiln.weights;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.ShortBuffer;

/** Little-endian elements of any real number format to floats, in blocks that fit the processor's nearest cache. */
final class ElementReader {
    private static final int BLOCK = 4096;
    private static final float[] F8_E4M3 = tableF8(4, 3, 7, true);
    private static final float[] F8_E5M2 = tableF8(5, 2, 15, false);

    private ElementReader() {}

    /** Converts all elements in {@code source}; its position does not move, the target's does. */
    static void readF32(DType dtype, ByteBuffer source, FloatBuffer target) {
        switch (dtype) {
            case F32 -> target.put(source.asFloatBuffer());
            case F16, BF16 -> readHalves(dtype, source.asShortBuffer(), target);
            default -> readOthers(dtype, source, target);
        }
    }

    private static void readHalves(DType dtype, ShortBuffer source, FloatBuffer target) {
        short[] halves = new short[Math.min(BLOCK, source.remaining())];
        float[] floats = new float[halves.length];
        while (source.hasRemaining()) {
            int count = Math.min(BLOCK, source.remaining());
            source.get(halves, 0, count);
            if (dtype == DType.F16) {
                HalfFloats.f16ToF32(halves, 0, floats, 0, count);
            } else {
                HalfFloats.bf16ToF32(halves, 0, floats, 0, count);
            }
            target.put(floats, 0, count);
        }
    }

    private static void readOthers(DType dtype, ByteBuffer source, FloatBuffer target) {
        int bytes = dtype.bytes();
        for (int i = 0; i < source.remaining(); i += bytes) {
            target.put(element(dtype, source, i));
        }
    }

    private static float element(DType dtype, ByteBuffer source, int i) {
        return switch (dtype) {
            case BOOL -> source.get(i) != 0 ? 1 : 0;
            case U8 -> source.get(i) & 0xff;
            case I8 -> source.get(i);
            case F8_E4M3 -> F8_E4M3[source.get(i) & 0xff];
            case F8_E5M2 -> F8_E5M2[source.get(i) & 0xff];
            case I16 -> source.getShort(i);
            case U16 -> source.getShort(i) & 0xffff;
            case I32 -> source.getInt(i);
            case U32 -> source.getInt(i) & 0xffffffffL;
            case F64 -> (float) source.getDouble(i);
            case I64 -> source.getLong(i);
            default -> throw new UnsupportedOperationException(dtype + " elements are not converted");
        };
    }

    private static float[] tableF8(int exponentBits, int mantissaBits, int bias, boolean finiteOnly) {
        float[] table = new float[256];
        for (int i = 0; i < 256; i++) {
            int exponent = i >> mantissaBits & (1 << exponentBits) - 1;
            int mantissa = i & (1 << mantissaBits) - 1;
            float magnitude = exponent == 0
                    ? mantissa * (float) Math.scalb(1.0, 1 - bias - mantissaBits)
                    : (float) Math.scalb(1.0 + mantissa / (double) (1 << mantissaBits), exponent - bias);
            boolean top = exponent == (1 << exponentBits) - 1;
            if (finiteOnly && top && mantissa == (1 << mantissaBits) - 1 || !finiteOnly && top && mantissa != 0) {
                magnitude = Float.NaN;
            } else if (!finiteOnly && top) {
                magnitude = Float.POSITIVE_INFINITY;
            }
            table[i] = (i & 0x80) != 0 ? -magnitude : magnitude;
        }
        return table;
    }
}
