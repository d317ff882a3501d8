package kiln.runtime.noise;

/** MT19937 (Matsumoto and Nishimura 1998) as torch seeds and reads it: 32-bit words. */
final class MersenneTwister {
    private static final int SIZE = 624;
    private static final int SHIFT = 397;
    private static final int MATRIX = 0x9908b0df;
    private static final int UPPER = 0x80000000;

    private final int[] state = new int[SIZE];
    private int next = SIZE;

    MersenneTwister(int seed) {
        state[0] = seed;
        for (int i = 1; i < SIZE; i++) {
            state[i] = 1812433253 * (state[i - 1] ^ state[i - 1] >>> 30) + i;
        }
    }

    int nextWord() {
        if (next == SIZE) {
            twist();
        }
        int y = state[next++];
        y ^= y >>> 11;
        y ^= y << 7 & 0x9d2c5680;
        y ^= y << 15 & 0xefc60000;
        return y ^ y >>> 18;
    }

    private void twist() {
        for (int i = 0; i < SIZE - SHIFT; i++) {
            state[i] = state[i + SHIFT] ^ mixed(state[i], state[i + 1]);
        }
        for (int i = SIZE - SHIFT; i < SIZE - 1; i++) {
            state[i] = state[i + SHIFT - SIZE] ^ mixed(state[i], state[i + 1]);
        }
        state[SIZE - 1] = state[SHIFT - 1] ^ mixed(state[SIZE - 1], state[0]);
        next = 0;
    }

    private static int mixed(int first, int second) {
        int y = first & UPPER | second & ~UPPER;
        return y >>> 1 ^ (-(y & 1) & MATRIX);
    }
}
