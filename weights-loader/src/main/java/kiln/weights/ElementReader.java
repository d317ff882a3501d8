package kiln.weights;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.nio.ShortBuffer;
import java.util.EnumMap;
import java.util.Map;

/** Little-endian elements to floats, in blocks that fit the processor's nearest cache. */
final class ElementReader {
    private static final int BLOCK = 4096;

    /** What each byte of a one-byte format stands for. */
    private static final Map<DType, float[]> ONE_BYTE_FORMATS = oneByteFormats();

    private ElementReader() {}

    /** Converts all elements in {@code source} from its position on, which may move; the target's moves by what was written. */
    static void readF32(DType dtype, ByteBuffer source, FloatBuffer target) {
        switch (dtype) {
            case BOOL, U8, I8, F8_E4M3, F8_E5M2, F8_E8M0, F8_E4M3FNUZ, F8_E5M2FNUZ ->
                readBytes(ONE_BYTE_FORMATS.get(dtype), source, target);
            case F16, BF16, I16, U16 -> readShorts(dtype, source.asShortBuffer(), target);
            case F32 -> target.put(source.asFloatBuffer());
            case I32, U32 -> readInts(dtype, source.asIntBuffer(), target);
            case I64, U64, F64 -> readLongs(dtype, source.asLongBuffer(), target);
            default -> throw new UnsupportedOperationException(dtype + " elements do not convert to floats");
        }
    }

    private static void readBytes(float[] values, ByteBuffer source, FloatBuffer target) {
        byte[] block = new byte[Math.min(BLOCK, source.remaining())];
        float[] floats = new float[block.length];
        while (source.hasRemaining()) {
            int count = Math.min(BLOCK, source.remaining());
            source.get(block, 0, count);
            for (int i = 0; i < count; i++) {
                floats[i] = values[block[i] & 0xff];
            }
            target.put(floats, 0, count);
        }
    }

    private static void readShorts(DType dtype, ShortBuffer source, FloatBuffer target) {
        short[] block = new short[Math.min(BLOCK, source.remaining())];
        float[] floats = new float[block.length];
        while (source.hasRemaining()) {
            int count = Math.min(BLOCK, source.remaining());
            source.get(block, 0, count);
            switch (dtype) {
                case F16 -> ShortFloats.f16ToF32(block, 0, floats, 0, count);
                case BF16 -> ShortFloats.bf16ToF32(block, 0, floats, 0, count);
                default -> {
                    int mask = dtype == DType.U16 ? 0xffff : -1;
                    for (int i = 0; i < count; i++) {
                        floats[i] = block[i] & mask;
                    }
                }
            }
            target.put(floats, 0, count);
        }
    }

    private static void readInts(DType dtype, IntBuffer source, FloatBuffer target) {
        long mask = dtype == DType.U32 ? 0xffffffffL : -1;
        while (source.hasRemaining()) {
            target.put((float) (source.get() & mask));
        }
    }

    private static void readLongs(DType dtype, LongBuffer source, FloatBuffer target) {
        while (source.hasRemaining()) {
            long value = source.get();
            target.put(switch (dtype) {
                case F64 -> (float) Double.longBitsToDouble(value);
                case U64 -> unsignedToF32(value);
                default -> (float) value;
            });
        }
    }

    private static float unsignedToF32(long value) {
        // Halving a number above 2^63 leaves far more bits than a float has; the lost one counts only in a tie.
        return value >= 0 ? value : (float) (value >>> 1 | value & 1) * 2;
    }

    private static Map<DType, float[]> oneByteFormats() {
        Map<DType, float[]> formats = new EnumMap<>(DType.class);
        float[] bool = new float[256];
        float[] u8 = new float[256];
        float[] i8 = new float[256];
        float[] e8m0 = new float[256];
        for (int i = 0; i < 256; i++) {
            bool[i] = i == 0 ? 0 : 1;
            u8[i] = i;
            i8[i] = (byte) i;
            e8m0[i] = i == 255 ? Float.NaN : Math.scalb(1f, i - 127);
        }
        formats.put(DType.BOOL, bool);
        formats.put(DType.U8, u8);
        formats.put(DType.I8, i8);
        formats.put(DType.F8_E8M0, e8m0);

        float[] e4m3 = f8(3, 7);
        e4m3[0x7f] = Float.NaN;
        e4m3[0xff] = Float.NaN;
        formats.put(DType.F8_E4M3, e4m3);

        float[] e5m2 = f8(2, 15);
        e5m2[0x7c] = Float.POSITIVE_INFINITY;
        e5m2[0xfc] = Float.NEGATIVE_INFINITY;
        for (int mantissa = 1; mantissa < 4; mantissa++) {
            e5m2[0x7c + mantissa] = Float.NaN;
            e5m2[0xfc + mantissa] = Float.NaN;
        }
        formats.put(DType.F8_E5M2, e5m2);

        // FNUZ: finite numbers, one NaN in the place of minus zero.
        float[] e4m3fnuz = f8(3, 8);
        e4m3fnuz[0x80] = Float.NaN;
        formats.put(DType.F8_E4M3FNUZ, e4m3fnuz);
        float[] e5m2fnuz = f8(2, 16);
        e5m2fnuz[0x80] = Float.NaN;
        formats.put(DType.F8_E5M2FNUZ, e5m2fnuz);
        return formats;
    }

    /** All values of a format with a sign, {@code 7 - mantissaBits} bits of exponent, and nothing but finite numbers. */
    private static float[] f8(int mantissaBits, int bias) {
        float[] values = new float[256];
        for (int i = 0; i < 256; i++) {
            int exponent = (i & 0x7f) >> mantissaBits;
            float mantissa = (i & (1 << mantissaBits) - 1) / (float) (1 << mantissaBits);
            float magnitude = exponent == 0 ? Math.scalb(mantissa, 1 - bias) : Math.scalb(1 + mantissa, exponent - bias);
            values[i] = i < 0x80 ? magnitude : -magnitude;
        }
        return values;
    }
}
