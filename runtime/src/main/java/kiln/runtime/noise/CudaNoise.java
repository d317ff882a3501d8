package kiln.runtime.noise;

/**
 * {@code torch.randn} of float32 on a card. Each thread of the launch has its own Philox sequence and turns the four words of a call
 * into four normals (curand_normal4), which lie a whole launch apart: with a thread for each number only the first of the four is used,
 * and the numbers are those of {@link PhiloxNoise}.
 */
final class CudaNoise implements NoiseSource {
    /** Threads of a block of torch's launch. */
    static final int BLOCK = 256;

    private static final int NORMALS_OF_CALL = 4;

    private final PhiloxNoise philox;
    private final int capacity;
    private int call;

    CudaNoise(long seed, CardProfile card) {
        philox = new PhiloxNoise(seed);
        capacity = Math.max(BLOCK, card.capacity());
    }

    @Override
    public void fill(float[] target, int offset, int count) {
        int threads = (int) Math.min(capacity, ((long) count + BLOCK - 1) / BLOCK * BLOCK);
        int calls = count == 0 ? 0 : (int) ((count - 1) / ((long) threads * NORMALS_OF_CALL)) + 1;
        float[] normals = new float[NORMALS_OF_CALL];
        for (int round = 0; round < calls; round++) {
            long first = (long) round * threads * NORMALS_OF_CALL;
            for (int thread = 0; thread < threads && first + thread < count; thread++) {
                int needed = (int) Math.min(NORMALS_OF_CALL, (count - first - thread + threads - 1) / threads);
                philox.normals(call + round, thread, needed, normals);
                for (int part = 0; part < needed; part++) {
                    target[offset + (int) (first + thread + (long) part * threads)] = normals[part];
                }
            }
        }
        call += calls;
    }
}
