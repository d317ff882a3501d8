package kiln.weights;

import java.util.Objects;

/**
 * Conversions between floats and the short formats of weights files. To float they are exact; from float they round to
 * nearest, ties to even, and keep infinities and NaNs as such. Stateless, for any thread.
 *
 * <p>The loops are branch-free, so that the virtual machine can vectorise them.
 */
public final class ShortFloats {
    /** The value of every binary16 pattern: half as long to look up as to work out, and weights use a small part of it. */
    private static final float[] F16_VALUES = new float[1 << Short.SIZE];

    static {
        for (int bits = 0; bits < F16_VALUES.length; bits++) {
            F16_VALUES[bits] = f16ToF32((short) bits);
        }
    }

    private ShortFloats() {}

    /** One IEEE 754 binary16 number. */
    public static float f16ToF32(short f16) {
        int magnitude = (f16 & 0x7fff) << 13;
        // Scaling by 2^112 moves the exponent's bias from 15 to 127 and normalises subnormals, exactly.
        float scaled = Float.intBitsToFloat(magnitude) * 0x1p112f;
        int bits = magnitude >= 0x7c00 << 13 ? magnitude | 0x7f800000 : Float.floatToRawIntBits(scaled);
        return Float.intBitsToFloat(bits | (f16 & 0x8000) << 16);
    }

    /** One bfloat16 number: the upper half of a float. */
    public static float bf16ToF32(short bf16) {
        return Float.intBitsToFloat(bf16 << 16);
    }

    /** To binary16; what is too large becomes infinite. */
    public static short f32ToF16(float f32) {
        int bits = Float.floatToRawIntBits(f32);
        int sign = bits >>> 16 & 0x8000;
        int magnitude = bits & 0x7fffffff;
        int normal = magnitude - (112 << 23) + 0xfff + (magnitude >>> 13 & 1) >>> 13;
        // Adding 0.5 leaves exactly the bits of a subnormal result in the sum's low end, rounded by the addition.
        int subnormal = Float.floatToRawIntBits(Float.intBitsToFloat(magnitude) + 0.5f) - 0x3f000000;
        int finite = magnitude < 113 << 23 ? subnormal : Math.min(normal, 0x7c00);
        int nan = 0x7e00 | magnitude >>> 13 & 0x3ff;
        int result = magnitude > 0x7f800000 ? nan : magnitude >= 143 << 23 ? 0x7c00 : finite;
        return (short) (sign | result);
    }

    /** To bfloat16; what is too large becomes infinite. */
    public static short f32ToBf16(float f32) {
        int bits = Float.floatToRawIntBits(f32);
        int rounded = bits + 0x7fff + (bits >>> 16 & 1) >>> 16;
        return (short) ((bits & 0x7fffffff) > 0x7f800000 ? bits >>> 16 | 0x40 : rounded);
    }

    /** Converts {@code count} binary16 numbers. */
    public static void f16ToF32(short[] source, int sourceFrom, float[] target, int targetFrom, int count) {
        checkRanges(source.length, sourceFrom, target.length, targetFrom, count);
        for (int i = 0; i < count; i++) {
            target[targetFrom + i] = F16_VALUES[source[sourceFrom + i] & 0xffff];
        }
    }

    /** Converts {@code count} bfloat16 numbers. */
    public static void bf16ToF32(short[] source, int sourceFrom, float[] target, int targetFrom, int count) {
        checkRanges(source.length, sourceFrom, target.length, targetFrom, count);
        for (int i = 0; i < count; i++) {
            target[targetFrom + i] = bf16ToF32(source[sourceFrom + i]);
        }
    }

    /** Converts {@code count} floats to binary16. */
    public static void f32ToF16(float[] source, int sourceFrom, short[] target, int targetFrom, int count) {
        checkRanges(source.length, sourceFrom, target.length, targetFrom, count);
        for (int i = 0; i < count; i++) {
            target[targetFrom + i] = f32ToF16(source[sourceFrom + i]);
        }
    }

    /** Converts {@code count} floats to bfloat16. */
    public static void f32ToBf16(float[] source, int sourceFrom, short[] target, int targetFrom, int count) {
        checkRanges(source.length, sourceFrom, target.length, targetFrom, count);
        for (int i = 0; i < count; i++) {
            target[targetFrom + i] = f32ToBf16(source[sourceFrom + i]);
        }
    }

    private static void checkRanges(int sourceLength, int sourceFrom, int targetLength, int targetFrom, int count) {
        Objects.checkFromIndexSize(sourceFrom, count, sourceLength);
        Objects.checkFromIndexSize(targetFrom, count, targetLength);
    }
}
