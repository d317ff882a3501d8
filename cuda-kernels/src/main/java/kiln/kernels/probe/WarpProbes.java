package kiln.kernels.probe;

import static kiln.kernels.probe.Format.B32;
import static kiln.kernels.probe.Format.F16X2;
import static kiln.kernels.probe.Format.F32;
import static kiln.kernels.probe.Format.PREDICATE;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import kiln.kernels.HalfFloats;

/** Instructions of a whole warp: shuffles, votes, matrices. Fragments lie as the PTX ISA has them. */
final class WarpProbes {
    private static final int FLOOR = 50;
    private static final int TURING = 75;
    private static final int AMPERE = 80;
    private static final int LANES = Probe.THREADS;
    private static final String ALL_LANES = ", 0xffffffff";

    /**
     * What tensor cores may lose, of the sum of all magnitudes. How they add is not documented; measured ones (Fasi et al., "Numerical behavior of
     * NVIDIA tensor cores", 2021; Khattak and Mikaitis, "Accurate models of NVIDIA tensor cores", 2025) shift four products or more and the sum so
     * far to the largest one's exponent, cut each at a float's 24 digits, and cut the result again: for each four channels no more than six times
     * 2^-23 of the largest.
     */
    private static final double LOSS_OF_FOUR = 6 * 0x1p-23;

    private WarpProbes() {}

    static List<Probe> all() {
        List<Probe> all = new ArrayList<>();
        all.add(shuffle());
        all.add(vote());
        all.add(matrix(8, TURING));
        all.add(matrix(16, AMPERE));
        for (int count : new int[] {1, 2, 4}) {
            all.add(loadMatrices(count, false));
            all.add(loadMatrices(count, true));
        }
        return all;
    }

    private static Probe shuffle() {
        Operands operands = Operands.integers(2).with(1, mask -> mask & 31);
        List<Probe.Group> groups = List.of(Probe.Group.of(B32), Probe.Group.of(B32));
        return new Probe("shfl.sync.bfly.b32", FLOOR, Probe.Group.of(B32), groups, ", 0x1f" + ALL_LANES, false, operands, lanes -> {
            Expected[][] expected = new Expected[LANES][];
            for (int lane = 0; lane < LANES; lane++) {
                int from = lane ^ lanes[lane][1];
                expected[lane] = new Expected[] {Expected.bits(lanes[from][0]).of(() -> "lane " + from + "'s " + B32.show(lanes[from], 0))};
            }
            return expected;
        });
    }

    private static Probe vote() {
        // Nobody, everybody, and one of them each time.
        Operands operands = new Operands(8 * LANES, (random, row) -> {
            int warp = row / LANES;
            return new int[] {warp == 1 || warp > 1 && row % LANES == 5 * (warp - 2) ? 1 : 0};
        });
        return new Probe("vote.sync.any.pred", FLOOR, Probe.Group.of(PREDICATE), List.of(Probe.Group.of(PREDICATE)), ALL_LANES, false, operands, lanes -> {
            boolean any = false;
            for (int[] words : lanes) {
                any |= words[0] != 0;
            }
            Expected[][] expected = new Expected[LANES][];
            for (int lane = 0; lane < LANES; lane++) {
                expected[lane] = new Expected[] {Expected.predicate(any)};
            }
            return expected;
        });
    }

    private static Probe loadMatrices(int count, boolean transposed) {
        Operands operands = new Operands(LANES, (random, row) -> new int[] {random.nextInt(), random.nextInt(), random.nextInt(), random.nextInt()});
        String instruction = "ldmatrix.sync.aligned.m8n8.x" + count + (transposed ? ".trans" : "") + ".shared.b16";
        return new Probe(instruction, TURING, Probe.Group.vector(B32, count), List.of(Probe.Group.vector(B32, 4)), "", true, operands, lanes -> {
            Expected[][] expected = new Expected[LANES][count];
            for (int lane = 0; lane < LANES; lane++) {
                for (int i = 0; i < count; i++) {
                    int first = 8 * i;
                    int group = lane / 4;
                    int pair = 2 * (lane % 4);
                    int word = transposed
                            ? element(lanes[first + pair], group) | element(lanes[first + pair + 1], group) << 16
                            : lanes[first + group][pair / 2];
                    int matrix = i;
                    expected[lane][i] = Expected.bits(word).of(() -> "matrix " + matrix);
                }
            }
            return expected;
        });
    }

    /** A half of a row of halves. */
    private static int element(int[] row, int column) {
        return row[column / 2] >>> 16 * (column % 2) & 0xffff;
    }

    // Products.

    private static Probe matrix(int depth, int target) {
        int left = depth / 4;
        int right = depth / 8;
        String instruction = "mma.sync.aligned.m16n8k" + depth + ".row.col.f32.f16.f16.f32";
        List<Probe.Group> groups = List.of(Probe.Group.vector(F16X2, left), Probe.Group.vector(F16X2, right), Probe.Group.vector(F32, 4));
        Operands operands = new Operands(8 * LANES, (random, row) -> {
            int[] words = new int[left + right + 4];
            for (int i = 0; i < left + right; i++) {
                words[i] = half(random, row / LANES) & 0xffff | half(random, row / LANES) << 16;
            }
            for (int i = left + right; i < words.length; i++) {
                words[i] = Float.floatToRawIntBits(addend(random, row / LANES));
            }
            return words;
        });
        return new Probe(instruction, target, Probe.Group.vector(F32, 4), groups, "", false, operands, lanes -> products(lanes, depth));
    }

    /** A factor; each of the eight warps gets another kind. */
    private static int half(Random random, int kind) {
        return switch (kind) {
            // Small whole numbers: every order of adding is exact.
            case 0 -> HalfFloats.toHalf(random.nextInt(17) - 8);
            case 1 -> HalfFloats.toHalf((float) random.nextGaussian());
            case 2 -> finite(random.nextInt());
            // Products of which few count.
            case 3 -> HalfFloats.toHalf((float) Math.scalb(random.nextGaussian(), random.nextInt(8) == 0 ? 10 : -2));
            // Subnormal numbers.
            case 4 -> random.nextInt() & 0x83ff;
            case 5 -> random.nextBoolean() ? random.nextInt() & 0x83ff : HalfFloats.toHalf((float) (1000 * random.nextGaussian()));
            case 6 -> random.nextInt(64) == 0 ? (random.nextBoolean() ? 0x7c00 : 0xfe00) : HalfFloats.toHalf((float) random.nextGaussian());
            default -> HalfFloats.toHalf((float) (random.nextGaussian() / 64));
        };
    }

    private static float addend(Random random, int kind) {
        return switch (kind) {
            case 0 -> random.nextInt(1 << 20) - (1 << 19);
            case 2 -> (float) Math.scalb(random.nextGaussian(), random.nextInt(60) - 30);
            case 4 -> random.nextInt(4) == 0 ? 0 : (float) Math.scalb(random.nextGaussian(), -30);
            case 6 -> random.nextInt(16) == 0 ? Float.NEGATIVE_INFINITY : (float) random.nextGaussian();
            // As large as it gets beside the products.
            case 7 -> (float) (random.nextGaussian() * 1000);
            default -> (float) random.nextGaussian();
        };
    }

    private static int finite(int half) {
        return (half & 0x7c00) == 0x7c00 ? half & 0xbfff : half;
    }

    private static Expected[][] products(int[][] lanes, int depth) {
        Expected[][] expected = new Expected[LANES][4];
        for (int lane = 0; lane < LANES; lane++) {
            for (int i = 0; i < 4; i++) {
                expected[lane][i] = product(lanes, depth, lane / 4 + i / 2 * 8, 2 * (lane % 4) + i % 2, lanes[lane][depth / 4 + depth / 8 + i]);
            }
        }
        return expected;
    }

    private static Expected product(int[][] lanes, int depth, int row, int column, int addend) {
        float first = Float.intBitsToFloat(addend);
        double sum = first;
        double magnitude = Math.abs(first);
        int lowest = lowestBit(first);
        for (int k = 0; k < depth; k++) {
            // Of two halves, the product is exact in doubles and in floats.
            double product = (double) left(lanes, row, k) * right(lanes, depth, k, column);
            sum += product;
            magnitude += Math.abs(product);
            lowest = Math.min(lowest, lowestBit(product));
        }
        // Where all sums are multiples of one step and fewer than 2^24 of them, no order of adding loses anything.
        boolean exact = magnitude < Math.scalb(1.0, lowest + 24);
        double allowed = exact ? 0 : depth / 4 * LOSS_OF_FOUR * magnitude;
        return Expected.near(sum, allowed).of(() -> describe(lanes, depth, row, column, first));
    }

    /** The exponent of a value's last digit that is not 0. */
    private static int lowestBit(double value) {
        return value == 0 ? Integer.MAX_VALUE / 2
                : Math.getExponent(value) - 52 + Long.numberOfTrailingZeros(Double.doubleToRawLongBits(value) & 0xf_ffff_ffff_ffffL | 1L << 52);
    }

    private static float left(int[][] lanes, int row, int k) {
        int word = lanes[row % 8 * 4 + k % 8 / 2][row / 8 + k / 8 * 2];
        return Probes.half(word >>> 16 * (k % 2));
    }

    private static float right(int[][] lanes, int depth, int k, int column) {
        int word = lanes[column * 4 + k % 8 / 2][depth / 4 + k / 8];
        return Probes.half(word >>> 16 * (k % 2));
    }

    private static String describe(int[][] lanes, int depth, int row, int column, float addend) {
        StringBuilder text = new StringBuilder("row " + row + ", column " + column + ": " + addend);
        for (int k = 0; k < depth; k++) {
            text.append(" + ").append(left(lanes, row, k)).append(" * ").append(right(lanes, depth, k, column));
        }
        return text.toString();
    }
}
