package kiln.kernels.emulator;

/** A binary floating-point format that is part of double: rounding to it, and its bits. */
record SmallFloat(int precision, int leastExponent, int greatestExponent) {
    static final SmallFloat FLOAT16 = new SmallFloat(11, -14, 15);
    static final SmallFloat BFLOAT16 = new SmallFloat(8, -126, 127);
    static final SmallFloat FLOAT32 = new SmallFloat(24, -126, 127);

    /** The value of this format that a double rounds to, subnormals and overflow as IEEE 754 has them. */
    double round(double value, Rounding rounding) {
        if (value == 0 || Double.isNaN(value) || Double.isInfinite(value)) {
            return value;
        }
        int exponent = Math.max(Math.getExponent(value), leastExponent);
        int step = exponent - (precision - 1);
        double rounded = Math.scalb(rounding.whole(scaled(value, -step)), step);
        double greatest = Math.scalb(2 - Math.scalb(1.0, 1 - precision), greatestExponent);
        if (Math.abs(rounded) > greatest) {
            boolean infinite = switch (rounding) {
                case NEAREST -> true;
                case ZERO -> false;
                case UP -> rounded > 0;
                case DOWN -> rounded < 0;
            };
            return Math.copySign(infinite ? Double.POSITIVE_INFINITY : greatest, rounded);
        }
        // A result of zero keeps the sign of what it was.
        return rounded == 0 ? Math.copySign(0.0, value) : rounded;
    }

    private static double scaled(double value, int exponent) {
        // Two steps: 2^exponent alone may overflow.
        int half = exponent / 2;
        return Math.scalb(Math.scalb(value, half), exponent - half);
    }

    /** Bits of the rounded value (16-bit formats); every NaN becomes 0x7fff, as on the card. */
    int encode(double value, Rounding rounding) {
        if (Double.isNaN(value)) {
            return 0x7fff;
        }
        double rounded = round(value, rounding);
        int sign = Double.doubleToRawLongBits(rounded) < 0 ? 0x8000 : 0;
        double magnitude = Math.abs(rounded);
        if (magnitude == 0) {
            return sign;
        }
        int fraction = precision - 1;
        if (Double.isInfinite(magnitude)) {
            return sign | (greatestExponent - leastExponent + 2) << fraction;
        }
        int exponent = Math.getExponent(magnitude);
        if (exponent < leastExponent) {
            return sign | (int) Math.scalb(magnitude, fraction - leastExponent);
        }
        int digits = (int) Math.scalb(magnitude, fraction - exponent) - (1 << fraction);
        return sign | (exponent - leastExponent + 1) << fraction | digits;
    }
}
