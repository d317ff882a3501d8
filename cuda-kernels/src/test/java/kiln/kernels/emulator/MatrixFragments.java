package kiln.kernels.emulator;

import java.util.Arrays;

/**
 * A warp's matrices as the last mma instructions had them, decoded: kernels multiply the same fragment with many others, and to see that its registers are
 * what they were is far quicker than to decode them again. One thread.
 */
final class MatrixFragments {
    static final int ROWS = 16;
    static final int COLUMNS = 8;
    static final int LARGEST_DEPTH = 16;
    private static final int SLOTS = 8;

    /** One fragment: its registers' bits and what they mean. */
    private static final class Slot {
        private final int[] bits;
        private final double[] values;
        private boolean brain;
        private int depth;

        private Slot(int registers, int values) {
            bits = new int[registers * 32];
            this.values = new double[values];
        }

        /** Whether it holds these registers; takes them over if not. */
        private boolean holds(int[][] registers, int[] numbers, boolean brainFloats, int newDepth) {
            boolean same = brain == brainFloats && depth == newDepth;
            for (int i = 0; i < numbers.length; i++) {
                int[] register = registers[numbers[i]];
                if (!same || !Arrays.equals(bits, i * 32, i * 32 + 32, register, 0, 32)) {
                    System.arraycopy(register, 0, bits, i * 32, 32);
                    same = false;
                }
            }
            brain = brainFloats;
            depth = newDepth;
            return same;
        }
    }

    /** Of the sums; for one instruction at a time. */
    final double[] sums = new double[ROWS * COLUMNS];
    private final Slot[] left = new Slot[SLOTS];
    private final Slot[] right = new Slot[SLOTS];

    private static float value(int bits, boolean brain) {
        return brain ? Half.bfloatToFloat(bits) : Half.toFloat(bits);
    }

    /** A by rows; valid until another is asked for. */
    double[] left(int[][] registers, int[] a, boolean brain, int depth) {
        Slot slot = left[a[0] % SLOTS];
        if (slot == null) {
            slot = new Slot(4, ROWS * LARGEST_DEPTH);
            left[a[0] % SLOTS] = slot;
        }
        if (!slot.holds(registers, a, brain, depth)) {
            double[] values = slot.values;
            for (int i = 0; i < a.length; i++) {
                int[] register = registers[a[i]];
                int first = (i & 1) * 8 * depth + (i >> 1) * 8;
                for (int lane = 0; lane < 32; lane++) {
                    int at = (lane >> 2) * depth + 2 * (lane & 3) + first;
                    values[at] = value(register[lane], brain);
                    values[at + 1] = value(register[lane] >>> 16, brain);
                }
            }
        }
        return slot.values;
    }

    /** B by rows; valid until another is asked for. */
    double[] right(int[][] registers, int[] b, boolean brain, int depth) {
        Slot slot = right[b[0] % SLOTS];
        if (slot == null) {
            slot = new Slot(2, LARGEST_DEPTH * COLUMNS);
            right[b[0] % SLOTS] = slot;
        }
        if (!slot.holds(registers, b, brain, depth)) {
            double[] values = slot.values;
            for (int i = 0; i < b.length; i++) {
                int[] register = registers[b[i]];
                for (int lane = 0; lane < 32; lane++) {
                    int at = (2 * (lane & 3) + i * 8) * COLUMNS + (lane >> 2);
                    values[at] = value(register[lane], brain);
                    values[at + COLUMNS] = value(register[lane] >>> 16, brain);
                }
            }
        }
        return slot.values;
    }
}
