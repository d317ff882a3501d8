package kiln.kernels.probe;

import java.util.Locale;
import java.util.function.Supplier;

/**
 * What one word of a result has to be.
 *
 * @param kind how it is compared
 * @param bits the word, unless the kind is {@link Kind#NEAR}
 * @param exact the value without any rounding, where the kind is {@link Kind#NEAR}
 * @param allowed how far from it a result may be
 * @param of what it was computed from, for people; {@code null} where that is the operands of the result's own thread
 */
record Expected(Kind kind, int bits, double exact, double allowed, Supplier<String> of) {
    enum Kind {
        /** To the bit. */
        BITS,
        /** A float to the bit, but any NaN for a NaN: which one is not specified. */
        FLOAT,
        /** The same for the two halves of a word. */
        HALVES,
        /** A float near enough to a value. */
        NEAR
    }

    /** What is nearest to an infinity lies at half a step behind the largest float. */
    private static final double OVERFLOW = 0x1.ffffffp127;

    private static final int NAN = 0x7fc00000;

    static Expected bits(int word) {
        return new Expected(Kind.BITS, word, 0, 0, null);
    }

    static Expected predicate(boolean value) {
        return bits(value ? 1 : 0);
    }

    static Expected value(float value) {
        return new Expected(Kind.FLOAT, Float.floatToRawIntBits(value), 0, 0, null);
    }

    static Expected halves(int word) {
        return new Expected(Kind.HALVES, word, 0, 0, null);
    }

    /** A float no further from a value than allowed; infinities and NaN have to be what they are. */
    static Expected near(double exact, double allowed) {
        return Double.isFinite(exact) ? new Expected(Kind.NEAR, 0, exact, allowed, null) : value((float) exact);
    }

    /** The same for a function whose zeros are exact. */
    static Expected function(double exact, double allowed) {
        return exact == 0 ? value((float) exact) : near(exact, allowed);
    }

    Expected of(Supplier<String> operands) {
        return new Expected(kind, bits, exact, allowed, operands);
    }

    boolean accepts(int found) {
        return switch (kind) {
            case BITS -> found == bits;
            case FLOAT -> found == bits || isNan(found) && isNan(bits);
            case HALVES -> acceptsHalf(found, bits) && acceptsHalf(found >>> 16, bits >>> 16);
            case NEAR -> error(found) <= allowed;
        };
    }

    /** How far a result is from the value, where there is one; an infinity as far as the least value that is rounded to it. */
    double error(int found) {
        if (kind != Kind.NEAR) {
            return accepts(found) ? 0 : Double.NaN;
        }
        double value = Float.intBitsToFloat(found);
        if (Double.isInfinite(value)) {
            double least = Math.copySign(OVERFLOW, value);
            return Math.abs(exact) >= OVERFLOW && value > 0 == exact > 0 ? 0 : Math.abs(least - exact);
        }
        return Math.abs(value - exact);
    }

    private static boolean isNan(int bits) {
        return (bits & 0x7fffffff) > 0x7f800000;
    }

    private static boolean acceptsHalf(int found, int expected) {
        return (found & 0xffff) == (expected & 0xffff) || (found & 0x7fff) > 0x7c00 && (expected & 0x7fff) > 0x7c00;
    }

    /** @param words the expected words of the result, of which {@code at} begins the value */
    static String show(Expected[] words, int at, Format format) {
        Expected first = words[at];
        if (first.kind == Kind.NEAR) {
            return first.allowed == 0 ? Double.toString(first.exact) : String.format(Locale.ROOT, "%s within %.3g", first.exact, first.allowed);
        }
        int[] bits = new int[format.words()];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = first.kind == Kind.FLOAT && isNan(words[at + i].bits) ? NAN : words[at + i].bits;
        }
        return format.show(bits, 0);
    }
}
