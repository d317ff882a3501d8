package kiln.kernels;

/** IEEE half precision and back, rounding to nearest even; a NaN stays one, with the upper bits of its payload (Java has it from 20 on). */
public final class HalfFloats {
    /** Fraction bits that a float has and a half has not. */
    private static final int LOST_BITS = 13;
    /** The difference of the exponents' biases, 127 − 15, in a float's place. */
    private static final int BIAS = 112 << 23;

    private static final int SMALLEST_NORMAL = 0x38800000; // 2⁻¹⁴
    /** The middle between the largest half and the next that there would be, 65520; ties go to even, which is infinity. */
    private static final int OVERFLOW = 0x477ff000;

    private static final int FLOAT_INFINITY = 0x7f800000;
    private static final int HALF_INFINITY = 0x7c00;
    private static final int HALF_NAN = 0x7e00;

    private HalfFloats() {}

    public static short toHalf(float value) {
        int bits = Float.floatToRawIntBits(value);
        int sign = bits >>> 16 & 0x8000;
        int magnitude = bits & 0x7fffffff;
        if (magnitude >= OVERFLOW) {
            return (short) (sign | (magnitude > FLOAT_INFINITY ? HALF_NAN | magnitude >>> LOST_BITS & 0x3ff : HALF_INFINITY));
        }
        if (magnitude < SMALLEST_NORMAL) {
            // Beside 0.5 a float has steps of 2⁻²⁴, as small halves have: the addition rounds to them.
            return (short) (sign | Float.floatToRawIntBits(Float.intBitsToFloat(magnitude) + 0.5f) - 0x3f000000);
        }
        // To nearest even; a fraction that overflows carries into the exponent, as it should.
        int even = magnitude >>> LOST_BITS & 1;
        return (short) (sign | magnitude - BIAS + (1 << LOST_BITS - 1) - 1 + even >>> LOST_BITS);
    }

    public static float toFloat(short half) {
        int sign = half << 16 & 0x80000000;
        int magnitude = half & 0x7fff;
        if (magnitude >= HALF_INFINITY) {
            return Float.intBitsToFloat(sign | FLOAT_INFINITY | (magnitude & 0x3ff) << LOST_BITS);
        }
        if (magnitude < 0x400) {
            float small = magnitude * 0x1p-24f;
            return sign == 0 ? small : -small;
        }
        return Float.intBitsToFloat(sign | (magnitude << LOST_BITS) + BIAS);
    }
}
