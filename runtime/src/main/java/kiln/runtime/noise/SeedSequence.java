package kiln.runtime.noise;

import java.util.Arrays;

/** numpy's SeedSequence (O'Neill 2015): hashes a seed and the place of a branch into words that seed independent generators. */
final class SeedSequence {
    private static final int POOL_INIT = 0x43b0d7e5;
    private static final int POOL_STEP = 0x931e8875;
    private static final int OUTPUT_INIT = 0x8b51f9dd;
    private static final int OUTPUT_STEP = 0x58f38ded;
    private static final int MIX_LEFT = 0xca01f9dd;
    private static final int MIX_RIGHT = 0x4973f715;
    private static final int SHIFT = 16;

    private final int[] pool;
    private int hash = POOL_INIT;

    /**
     * @param entropy taken as unsigned
     * @param spawnKey the branch; empty for the root
     */
    SeedSequence(long entropy, long[] spawnKey, int poolSize) {
        pool = new int[poolSize];
        int[] words = words(entropy, spawnKey, poolSize);
        for (int i = 0; i < poolSize; i++) {
            pool[i] = hashed(i < words.length ? words[i] : 0);
        }
        for (int from = 0; from < poolSize; from++) {
            for (int to = 0; to < poolSize; to++) {
                if (from != to) {
                    pool[to] = mixed(pool[to], hashed(pool[from]));
                }
            }
        }
        for (int from = poolSize; from < words.length; from++) {
            for (int to = 0; to < poolSize; to++) {
                pool[to] = mixed(pool[to], hashed(words[from]));
            }
        }
    }

    /** A number's words, the low one first; the seed's are filled up to the pool's size where a key follows. */
    private static int[] words(long entropy, long[] spawnKey, int poolSize) {
        int[] words = new int[Math.max(poolSize, 2) + 2 * spawnKey.length];
        int count = put(words, 0, entropy);
        if (spawnKey.length > 0) {
            count = Math.max(count, poolSize);
            for (long key : spawnKey) {
                count = put(words, count, key);
            }
        }
        return Arrays.copyOf(words, count);
    }

    private static int put(int[] words, int at, long value) {
        words[at] = (int) value;
        if (value >>> 32 == 0) {
            return at + 1;
        }
        words[at + 1] = (int) (value >>> 32);
        return at + 2;
    }

    private int hashed(int value) {
        int word = value ^ hash;
        hash *= POOL_STEP;
        word *= hash;
        return word ^ word >>> SHIFT;
    }

    private static int mixed(int a, int b) {
        int word = MIX_LEFT * a - MIX_RIGHT * b;
        return word ^ word >>> SHIFT;
    }

    /** The first {@code count} words of the output. */
    int[] state(int count) {
        int[] state = new int[count];
        int step = OUTPUT_INIT;
        for (int i = 0; i < count; i++) {
            int word = pool[i % pool.length] ^ step;
            step *= OUTPUT_STEP;
            word *= step;
            state[i] = word ^ word >>> SHIFT;
        }
        return state;
    }
}
