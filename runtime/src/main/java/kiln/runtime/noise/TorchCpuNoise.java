package kiln.runtime.noise;

/**
 * {@code torch.randn} of float32 on the CPU. From 16 numbers on, torch fills the array with uniforms of 24 bits and turns each block
 * of 16 into normals (Box and Muller), the last, incomplete block from 16 fresh uniforms over the array's last 16 places; below 16 it
 * draws pairs in double precision and keeps the second of a pair for its next short call.
 *
 * <p>The words are torch's bit for bit; the normals are rounded to float where torch rounds, which leaves at most one or two units in
 * the last place (under 5e-7) to the logarithm and cosine of its vector library.
 */
public final class TorchCpuNoise implements NoiseSource {
    private static final int BLOCK = 16;
    private static final int HALF = BLOCK / 2;
    private static final float TWO_PI = (float) (2 * Math.PI);

    private final MersenneTwister words;
    private double kept = Double.NaN;

    public TorchCpuNoise(long seed) {
        words = new MersenneTwister((int) seed);
    }

    @Override
    public void fill(float[] target, int offset, int count) {
        if (count < BLOCK) {
            for (int i = 0; i < count; i++) {
                target[offset + i] = (float) nextNormal();
            }
            return;
        }
        fillUniform(target, offset, count);
        for (int i = 0; i + BLOCK <= count; i += BLOCK) {
            transform(target, offset + i);
        }
        if (count % BLOCK != 0) {
            int last = offset + count - BLOCK;
            fillUniform(target, last, BLOCK);
            transform(target, last);
        }
    }

    private void fillUniform(float[] target, int offset, int count) {
        for (int i = 0; i < count; i++) {
            target[offset + i] = (words.nextWord() & 0xFFFFFF) * 0x1p-24f;
        }
    }

    private static void transform(float[] target, int block) {
        for (int i = block; i < block + HALF; i++) {
            float log = (float) Math.log(1 - target[i]);
            float radius = (float) Math.sqrt(-2 * log);
            double angle = TWO_PI * target[i + HALF];
            target[i] = radius * (float) Math.cos(angle);
            target[i + HALF] = radius * (float) Math.sin(angle);
        }
    }

    private double nextNormal() {
        if (!Double.isNaN(kept)) {
            double normal = kept;
            kept = Double.NaN;
            return normal;
        }
        double angle = 2 * Math.PI * nextDouble();
        double radius = Math.sqrt(-2 * Math.log1p(-nextDouble()));
        kept = radius * Math.sin(angle);
        return radius * Math.cos(angle);
    }

    private double nextDouble() {
        long high = words.nextWord();
        long low = words.nextWord() & 0xFFFFFFFFL;
        return ((high << 32 | low) & (1L << 53) - 1) * 0x1p-53;
    }
}
