package kiln.runtime.noise;

/**
 * A generator of standard normal numbers, as {@code torch.randn} draws them from one seed. How many numbers a call asks for decides
 * which it gets, so a call here stands for one {@code randn} there.
 *
 * <p>Not for several threads at once.
 */
public interface NoiseSource {
    /** One {@code randn} of {@code count} numbers. */
    void fill(float[] target, int offset, int count);

    /** One {@code randn} as long as the array. */
    default void fill(float[] target) {
        fill(target, 0, target.length);
    }

    /**
     * A generator at its start; the CPU kind uses a seed's low 32 bits only, as torch does.
     *
     * @param card whose numbers the kind {@link NoiseKind#GPU} gives
     */
    static NoiseSource of(NoiseKind kind, CardProfile card, long seed) {
        return switch (kind) {
            case CPU -> new TorchCpuNoise(seed);
            case NV -> new PhiloxNoise(seed);
            case GPU -> new CudaNoise(seed, card);
        };
    }
}
