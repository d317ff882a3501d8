package kiln.kernels.emulator;

/**
 * Sums and quotients rounded to odd: where the result is not exact its last bit is set, so that a later rounding to a shorter format is right in every
 * direction (Boldo and Melquiond, "When double rounding is odd").
 */
final class Exact {
    private Exact() { }

    static double sum(double a, double b) {
        double sum = a + b;
        double part = sum - a;
        return odd(sum, (a - (sum - part)) + (b - part));
    }

    static double quotient(double a, double b) {
        double quotient = a / b;
        double error = -Math.fma(quotient, b, -a);
        return odd(quotient, b < 0 ? -error : error);
    }

    private static double odd(double value, double error) {
        if (error == 0 || Double.isNaN(error) || Double.isInfinite(value)) {
            return value;
        }
        long bits = Double.doubleToRawLongBits(value);
        if ((bits & 1) != 0) {
            return value;
        }
        return Double.longBitsToDouble(error > 0 == value > 0 ? bits + 1 : bits - 1);
    }

    /** A double as a float, rounded to odd. */
    static float oddFloat(double value) {
        float rounded = (float) value;
        if (rounded == value || Float.isNaN(rounded) || Float.isInfinite(rounded)) {
            return rounded;
        }
        int bits = Float.floatToRawIntBits(rounded);
        if ((bits & 1) != 0) {
            return rounded;
        }
        if (rounded == 0) {
            return Math.copySign(Float.MIN_VALUE, (float) Math.signum(value));
        }
        return Float.intBitsToFloat(value > rounded == rounded > 0 ? bits + 1 : bits - 1);
    }
}
