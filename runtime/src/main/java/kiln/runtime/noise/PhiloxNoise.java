package kiln.runtime.noise;

/**
 * Philox 4×32-10 (Salmon et al. 2011) used as A1111's source "NV" uses it to emulate CUDA: number i of call k comes from the counter
 * (k, 0, i, 0) and the seed as key, by Box and Muller's sine. Equal to {@code torch.randn} on a CUDA card as long as the card has a
 * thread for each number.
 */
public final class PhiloxNoise implements NoiseSource {
    private static final int ROUNDS = 10;
    private static final long MULTIPLIER_0 = 0xD2511F53L;
    private static final long MULTIPLIER_1 = 0xCD9E8D57L;
    private static final int KEY_STEP_0 = 0x9E3779B9;
    private static final int KEY_STEP_1 = 0xBB67AE85;
    private static final long LOW = 0xFFFFFFFFL;

    // The constants are float32, the arithmetic double, the result float32.
    private static final double UNIT = 2.3283064e-10f;
    private static final double TURN = (float) (2.3283064e-10 * 6.2831855);

    private final int keyLow;
    private final int keyHigh;
    private final int[] words = new int[4];
    private int call;

    public PhiloxNoise(long seed) {
        keyLow = (int) seed;
        keyHigh = (int) (seed >>> 32);
    }

    @Override
    public void fill(float[] target, int offset, int count) {
        for (int i = 0; i < count; i++) {
            long words = firstWords(call, i);
            double u = (words >>> 32) * UNIT + UNIT / 2;
            double v = (words & LOW) * TURN + TURN / 2;
            target[offset + i] = (float) (Math.sqrt(-2 * Math.log(u)) * Math.sin(v));
        }
        call++;
    }

    /** Normals from one call's words: sine and cosine of the first pair, then of the second. */
    void normals(int counter, int index, int count, float[] target) {
        fillWords(counter, index);
        for (int i = 0; i < count; i++) {
            double u = (words[i / 2 * 2] & LOW) * UNIT + UNIT / 2;
            double v = (words[i / 2 * 2 + 1] & LOW) * TURN + TURN / 2;
            target[i] = (float) (Math.sqrt(-2 * Math.log(u)) * (i % 2 == 0 ? Math.sin(v) : Math.cos(v)));
        }
    }

    /** Words 0 (upper half) and 1 (lower half) of the four. */
    long firstWords(int counter, int index) {
        fillWords(counter, index);
        return (long) words[0] << 32 | words[1] & LOW;
    }

    private void fillWords(int counter, int index) {
        int c0 = counter;
        int c1 = 0;
        int c2 = index;
        int c3 = 0;
        int k0 = keyLow;
        int k1 = keyHigh;
        for (int round = 0; round < ROUNDS; round++) {
            long product0 = MULTIPLIER_0 * (c0 & LOW);
            long product1 = MULTIPLIER_1 * (c2 & LOW);
            c0 = (int) (product1 >>> 32) ^ c1 ^ k0;
            c1 = (int) product1;
            c2 = (int) (product0 >>> 32) ^ c3 ^ k1;
            c3 = (int) product0;
            k0 += KEY_STEP_0;
            k1 += KEY_STEP_1;
        }
        words[0] = c0;
        words[1] = c1;
        words[2] = c2;
        words[3] = c3;
    }
}
