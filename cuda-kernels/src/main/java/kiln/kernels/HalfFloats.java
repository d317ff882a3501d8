package kiln.kernels;

/** IEEE half precision and back, rounding to nearest even (Java has it from 20 on). */
public final class HalfFloats {
    private static final int EXPONENT_SHIFT = 10;
    private static final float SMALLEST_NORMAL = 0x1p-14f;
    /** The middle between the largest half and the next that there would be; ties go to even, which is infinity. */
    private static final float OVERFLOW = 65520f;

    private HalfFloats() {}

    public static short toHalf(float value) {
        int sign = Float.floatToRawIntBits(value) >>> 16 & 0x8000;
        float magnitude = Math.abs(value);
        if (Float.isNaN(value)) {
            return (short) (sign | 0x7e00);
        }
        if (magnitude >= OVERFLOW) {
            return (short) (sign | 0x7c00);
        }
        if (magnitude < SMALLEST_NORMAL) {
            return (short) (sign | (int) Math.rint(magnitude * 0x1p24f));
        }
        int exponent = Math.getExponent(magnitude);
        int fraction = (int) Math.rint(Math.scalb(magnitude, EXPONENT_SHIFT - exponent));
        // A fraction that rounds up to 2048 carries into the exponent, as it should.
        return (short) (sign | (exponent + 14 << EXPONENT_SHIFT) + fraction);
    }

    public static float toFloat(short half) {
        int exponent = half >>> EXPONENT_SHIFT & 31;
        int fraction = half & 1023;
        float magnitude;
        if (exponent == 31) {
            magnitude = fraction == 0 ? Float.POSITIVE_INFINITY : Float.NaN;
        } else if (exponent == 0) {
            magnitude = fraction * 0x1p-24f;
        } else {
            magnitude = Math.scalb((float) (1024 + fraction), exponent - 25);
        }
        return half < 0 ? -magnitude : magnitude;
    }
}
