package kiln.kernels.probe;

import java.util.Random;
import java.util.function.IntUnaryOperator;

/**
 * The operands of a probe, made anew each time from a seed.
 *
 * <p>Whatever changes what is made here makes kept files useless, and the cards that they came from may be gone: add another kind instead.
 *
 * @param rows how many threads there are, each with operands of its own: whole warps
 */
record Operands(int rows, Maker maker) {
    /** Makes the words of one row. */
    interface Maker {
        int[] make(Random random, int row);
    }

    private static final int EXPONENTS = 255;

    /** Zeros, the borders of what is subnormal and normal, infinities, NaN, and neighbours of 1 and of the largest whole numbers. */
    private static final int[] FLOATS = {
        0x00000000, 0x80000000, 0x00000001, 0x80000001, 0x007fffff, 0x807fffff, 0x00800000, 0x80800000, 0x3f7fffff, 0x3f800000, 0x3f800001,
        0xbf7fffff, 0xbf800000, 0xbf800001, 0x40000000, 0x4b000000, 0x4b800001, 0xcb000000, 0x7f7fffff, 0xff7fffff, 0x7f800000, 0xff800000,
        0x7fc00000, 0xffc00001, 0x3f000000, 0xbf000000, 0x7e800000, 0x7e800001, 0xfe800000, 0x7f000000, 0xff000001, 0x33800000, 0x00400000
    };

    /** Fewer of them, for pairs: 121. */
    private static final int[] FEW_FLOATS = {
        0x00000000, 0x80000000, 0x00000001, 0x807fffff, 0x00800000, 0x3f800000, 0xbf800001, 0x7f7fffff, 0x7f800000, 0xff800000, 0x7fc00000
    };

    private static final int[] INTEGERS = {0, 1, 2, 3, 31, 32, 33, 0x7fffffff, 0x80000000, 0xffffffff, 0x55555555};

    /** Zeros, the borders of what is subnormal and normal, 1 and its neighbours, the largest, infinities and NaN. */
    private static final int[] HALVES = {
        0x0000, 0x8000, 0x0001, 0x8001, 0x03ff, 0x83ff, 0x0400, 0x8400, 0x3bff, 0x3c00, 0xbc01, 0x6480, 0x7bff, 0xfbff, 0x7c00, 0xfc00, 0x7e00
    };

    private static final int UNARY_ROWS = FLOATS.length + EXPONENTS;
    private static final int ROWS = 256;

    Operands {
        if (rows % Probe.THREADS != 0) {
            throw new IllegalArgumentException(rows + " rows of operands are not whole warps");
        }
    }

    int[][] make(long seed) {
        Random random = new Random(seed);
        int[][] words = new int[rows][];
        for (int row = 0; row < rows; row++) {
            words[row] = maker.make(random, row);
        }
        return words;
    }

    /** One float: the special ones, then one of every exponent. */
    static Operands floats() {
        return new Operands(UNARY_ROWS, (random, row) ->
                new int[] {row < FLOATS.length ? FLOATS[row] : withExponent(random, row - FLOATS.length)});
    }

    /** One float: the special ones, one of every third exponent, and numbers between two. */
    static Operands floatsBetween(double least, double most) {
        return new Operands(UNARY_ROWS, (random, row) -> {
            int behind = row - FLOATS.length;
            return new int[] {
                behind < 0 ? FLOATS[row]
                        : behind % 3 == 0 ? withExponent(random, behind)
                        : Float.floatToRawIntBits((float) (least + (most - least) * random.nextDouble()))
            };
        });
    }

    /** Special floats, and a random one of each exponent up to that of pi, none further from 0 than that. */
    static Operands angles() {
        return new Operands(UNARY_ROWS, (random, row) -> {
            int behind = row - FLOATS.length;
            // Beyond, nothing is promised: infinities and NaN are left.
            boolean special = behind < 0 && (Math.abs(Float.intBitsToFloat(FLOATS[row])) <= Math.PI || (FLOATS[row] & 0x7f800000) == 0x7f800000);
            boolean small = behind >= 0 && behind < 127 && behind % 2 == 0;
            return new int[] {
                special ? FLOATS[row]
                        : small ? withExponent(random, behind)
                        : Float.floatToRawIntBits((float) (Math.PI * (2 * random.nextDouble() - 1)))
            };
        });
    }

    /**
     * Floats that are rounded to fewer digits: special ones, some of all exponents, and halfway cases and their neighbours.
     *
     * @param values floats of a row
     * @param digits of the result, in bits
     * @param leastStep between results, as a power of two; {@code mostStep} is that of the largest
     */
    static Operands halfway(int values, int digits, int leastStep, int mostStep) {
        return new Operands(UNARY_ROWS, (random, row) -> {
            int[] words = new int[values];
            for (int i = 0; i < values; i++) {
                int behind = row - FLOATS.length;
                words[i] = behind < 0 ? FLOATS[(row + 11 * i) % FLOATS.length]
                        : behind % 3 == 0 ? withExponent(random, behind)
                        : halfway(random, digits, random.nextInt(3) == 0 ? leastStep : leastStep + random.nextInt(mostStep - leastStep + 1), leastStep)
                                + (behind % 3 == 1 ? 0 : random.nextInt(3) - 1);
            }
            return words;
        });
    }

    private static int halfway(Random random, int digits, int step, int leastStep) {
        int least = step == leastStep ? 0 : 1 << digits - 1;
        int steps = least + (random.nextInt((1 << digits) - least) >>> (least == 0 ? random.nextInt(digits) : 0));
        int bits = Float.floatToRawIntBits(Math.scalb(2f * steps + 1, step - 1));
        return random.nextBoolean() ? bits : bits | 0x80000000;
    }

    /** Two floats: pairs of special ones, then random ones whose sum, product or quotient is near something. */
    static Operands floatPairs() {
        int pairs = FEW_FLOATS.length * FEW_FLOATS.length;
        return new Operands(ROWS, (random, row) -> {
            if (row < pairs) {
                return new int[] {FEW_FLOATS[row / FEW_FLOATS.length], FEW_FLOATS[row % FEW_FLOATS.length]};
            }
            return pair(random, row);
        });
    }

    /** Three floats for a · b + c: special ones, products that nearly cancel, and ties. */
    static Operands floatTriples() {
        return new Operands(ROWS, (random, row) -> {
            if (row < ROWS / 2) {
                return new int[] {anyOf(random, FEW_FLOATS), anyOf(random, FEW_FLOATS), row % 4 == 0 ? random.nextInt() : anyOf(random, FEW_FLOATS)};
            }
            int[] factors = pair(random, row);
            float product = Float.intBitsToFloat(factors[0]) * Float.intBitsToFloat(factors[1]);
            int bits = Float.floatToRawIntBits(product);
            int sum = switch (row % 4) {
                // What the product's rounding lost is all that is left.
                case 0 -> bits ^ 0x80000000;
                case 1 -> near(random, exponent(bits), 26);
                case 2 -> near(random, exponent(bits) - 24, 1) & 0xff800000;
                default -> random.nextInt();
            };
            return new int[] {factors[0], factors[1], sum};
        });
    }

    private static int[] pair(Random random, int row) {
        int a = near(random, random.nextInt(EXPONENTS), 0);
        int b = switch (row % 8) {
            case 0 -> near(random, exponent(a), 2);
            case 1 -> near(random, exponent(a), 26);
            // Half a step of the first: a tie.
            case 2 -> near(random, exponent(a) - 24, 0) & 0xff800000;
            // Product: near 1, around the smallest normal number, around overflow.
            case 3 -> near(random, 254 - exponent(a), 2);
            case 4 -> near(random, 128 - exponent(a), 13);
            case 5 -> near(random, 381 - exponent(a), 1);
            // Quotient: around the smallest normal number.
            case 6 -> near(random, exponent(a) + 126, 13);
            default -> near(random, 127, 30) & 0xfffff000 | 0x1000;
        };
        // Factors of 13 and 12 digits have products of 24, or of 25, which are ties.
        return row % 8 == 7 ? new int[] {a & 0xfffff800 | 0x800, b} : new int[] {a, b};
    }

    /** One half: special ones, then random ones of all exponents. */
    static Operands halves() {
        return new Operands(ROWS, (random, row) ->
                new int[] {row < HALVES.length ? HALVES[row] : random.nextInt() & 0x83ff | row % 32 << 10});
    }

    /** Two words of two halves each: special ones, then random ones, some of which nearly cancel. */
    static Operands halfPairs() {
        return new Operands(ROWS, (random, row) -> {
            int special = anyOf(random, HALVES) | anyOf(random, HALVES) << 16;
            if (row < ROWS / 2) {
                return new int[] {special, anyOf(random, HALVES) | anyOf(random, HALVES) << 16};
            }
            int first = random.nextInt();
            return new int[] {first, row % 2 == 0 ? random.nextInt() : first ^ random.nextInt() & 0x07ff07ff};
        });
    }

    /** Two integers, or more: special ones, then random ones of all lengths. */
    static Operands integers(int count) {
        return new Operands(ROWS, (random, row) -> {
            int[] words = new int[count];
            for (int i = 0; i < count; i++) {
                words[i] = row < ROWS / 2 ? anyOf(random, INTEGERS) : random.nextInt() >> random.nextInt(32) >>> random.nextInt(2) * random.nextInt(32);
            }
            return words;
        });
    }

    /** The same, with operands that some instruction does not take replaced: a function of the place and the word. */
    Operands with(int place, IntUnaryOperator change) {
        return new Operands(rows, (random, row) -> {
            int[] words = maker.make(random, row);
            words[place] = change.applyAsInt(words[place]);
            return words;
        });
    }

    private static int anyOf(Random random, int[] from) {
        return from[random.nextInt(from.length)];
    }

    private static int exponent(int bits) {
        return bits >>> 23 & 0xff;
    }

    /** A random float of that exponent (biased; 0 for subnormal numbers) and any sign. */
    private static int withExponent(Random random, int exponent) {
        return exponent << 23 | random.nextInt() & 0x807fffff;
    }

    private static int near(Random random, int exponent, int by) {
        int chosen = exponent + random.nextInt(2 * by + 1) - by;
        return withExponent(random, Math.max(0, Math.min(EXPONENTS - 1, chosen)));
    }
}
