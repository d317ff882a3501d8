package kiln.runtime.sampling;

import kiln.runtime.base.KilnException;

/**
 * A model's noise levels: the table from timestep to sigma, and both directions between its entries. Immutable.
 *
 * <p>{@code sigma = sqrt((1 - a) / a)} with {@code a} the cumulative product of alphas; between entries log(sigma) is linear in the
 * timestep, as k-diffusion's DiscreteSchedule has it.
 */
public final class ModelSampling {
    public static final double SD1_FIRST_BETA = 0.00085;
    public static final double SD1_LAST_BETA = 0.012;

    private static final int SD1_STEPS = 1000;
    private static final int LCM_ENTRIES = 50;
    private static final float TIE = 1e-6f;
    private static final int HALF_FRACTION_BITS = 10;
    private static final int HALF_LEAST_EXPONENT = -14;
    /** A1111's last level of a zero terminal schedule: what 0 would give is no number. */
    private static final float ALMOST_ZERO = 4.8973451890853435e-08f;

    /** Levels by which models of that family draw well in few steps (Sabour et al. 2024). */
    private static final double[] SD1_ALIGNED = {14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029};

    private static final double[] SDXL_ALIGNED = {14.615, 6.315, 3.771, 2.181, 1.342, 0.862, 0.555, 0.380, 0.234, 0.113, 0.029};

    private final float[] alphasCumprod;
    private final float[] sigmas;
    private final float[] logSigmas;
    private final double[] alignedSigmas;
    private final int stride;
    private final boolean nearestEntry;

    /**
     * @param alphasCumprod one per timestep, strictly falling, inside (0, 1)
     * @param alignedSigmas what {@link Schedule#ALIGN_YOUR_STEPS} goes through, falling
     * @throws KilnException {@code UNSUPPORTED_MODEL} when they are not
     */
    public ModelSampling(float[] alphasCumprod, double[] alignedSigmas) {
        this(alphasCumprod.clone(), alignedSigmas.clone(), 1, false);
    }

    /** A model without levels of its own for {@link Schedule#ALIGN_YOUR_STEPS}: those of SD 1.x stand in, as in A1111. */
    public ModelSampling(float[] alphasCumprod) {
        this(alphasCumprod, SD1_ALIGNED);
    }

    private ModelSampling(float[] alphasCumprod, double[] alignedSigmas, int stride, boolean nearestEntry) {
        this.alphasCumprod = alphasCumprod;
        this.alignedSigmas = alignedSigmas;
        this.stride = stride;
        this.nearestEntry = nearestEntry;
        int steps = alphasCumprod.length;
        if (steps < 2) {
            throw unsupported("at least 2 entries are needed, found " + steps);
        }
        if (alignedSigmas.length < 2) {
            throw unsupported("at least 2 aligned levels are needed, found " + alignedSigmas.length);
        }
        sigmas = new float[steps];
        logSigmas = new float[steps];
        for (int i = 0; i < steps; i++) {
            float a = alphasCumprod[i];
            if (!(a > 0 && a < 1) || i > 0 && a >= alphasCumprod[i - 1]) {
                throw unsupported("entry " + i + " is " + a + "; they must fall and lie between 0 and 1");
            }
            sigmas[i] = (float) Math.sqrt((1 - a) / a);
            logSigmas[i] = (float) Math.log(sigmas[i]);
        }
    }

    private static KilnException unsupported(String found) {
        return new KilnException(KilnException.Category.UNSUPPORTED_MODEL, "alphas_cumprod: " + found);
    }

    /** The table of Stable Diffusion 1.x and 2.x: 1000 betas whose square roots are evenly spaced. */
    public static ModelSampling sd1() {
        return sd1(SD1_FIRST_BETA, SD1_LAST_BETA);
    }

    /**
     * The same with other ends of the betas.
     *
     * @throws KilnException {@code UNSUPPORTED_MODEL} when they make no noise levels
     */
    public static ModelSampling sd1(double firstBeta, double lastBeta) {
        return new ModelSampling(alphas(firstBeta, lastBeta), SD1_ALIGNED);
    }

    /** The same table with SDXL's aligned levels. */
    public static ModelSampling sdxl() {
        return new ModelSampling(alphas(SD1_FIRST_BETA, SD1_LAST_BETA), SDXL_ALIGNED);
    }

    private static float[] alphas(double firstBeta, double lastBeta) {
        double first = Math.sqrt(firstBeta);
        double last = Math.sqrt(lastBeta);
        float[] alphas = new float[SD1_STEPS];
        double product = 1;
        for (int i = 0; i < SD1_STEPS; i++) {
            double root = first + (last - first) * i / (SD1_STEPS - 1);
            product *= 1 - root * root;
            alphas[i] = (float) product;
        }
        return alphas;
    }

    /** The same levels rounded to 16-bit floats on the way, as A1111's before 1.8 were ("Downcast alphas_cumprod"). */
    public ModelSampling downcast() {
        float[] rounded = new float[alphasCumprod.length];
        for (int i = 0; i < rounded.length; i++) {
            float unit = Math.scalb(1f, Math.max(Math.getExponent(alphasCumprod[i]), HALF_LEAST_EXPONENT) - HALF_FRACTION_BITS);
            rounded[i] = (float) Math.rint(alphasCumprod[i] / unit) * unit;
        }
        return new ModelSampling(rounded, alignedSigmas, stride, nearestEntry);
    }

    /** Levels spread so that the last is noise and (almost) nothing else (Lin et al. 2024), as A1111's "Zero Terminal SNR" has them. */
    public ModelSampling zeroTerminal() {
        double first = Math.sqrt(alphasCumprod[0]);
        double last = Math.sqrt(alphasCumprod[alphasCumprod.length - 1]);
        float[] spread = new float[alphasCumprod.length];
        for (int i = 0; i < spread.length; i++) {
            double root = (Math.sqrt(alphasCumprod[i]) - last) * (first / (first - last));
            spread[i] = (float) (root * root);
        }
        spread[spread.length - 1] = ALMOST_ZERO;
        return new ModelSampling(spread, alignedSigmas, stride, nearestEntry);
    }

    /** The same levels, but a level between two entries counts as the timestep of the nearer (A1111's {@code enable_quantization}). */
    ModelSampling quantized() {
        return new ModelSampling(alphasCumprod, alignedSigmas, stride, true);
    }

    /** The coarse table that LCM models were distilled with: every twentieth entry of 1000, from the last down, and none between. */
    ModelSampling lcm() {
        int every = Math.max(alphasCumprod.length / LCM_ENTRIES, 1);
        float[] alphas = new float[alphasCumprod.length / every];
        for (int i = 0; i < alphas.length; i++) {
            alphas[i] = alphasCumprod[alphasCumprod.length - 1 - (alphas.length - 1 - i) * every];
        }
        return new ModelSampling(alphas, alignedSigmas, every, true);
    }

    /** How many entries the table has; for all but LCM's, how many timesteps. */
    public int timesteps() {
        return sigmas.length;
    }

    public float alphaCumprod(int timestep) {
        return alphasCumprod[timestep];
    }

    /** The sigma of an entry, in all but LCM's table of a whole timestep. */
    public float sigmaAt(int entry) {
        return sigmas[entry];
    }

    public float[] alphasCumprod() {
        return alphasCumprod.clone();
    }

    /** All sigmas, rising with the timestep. */
    public float[] sigmas() {
        return sigmas.clone();
    }

    public float sigmaMin() {
        return sigmas[0];
    }

    public float sigmaMax() {
        return sigmas[sigmas.length - 1];
    }

    double[] alignedSigmas() {
        return alignedSigmas.clone();
    }

    /** The timestep of an entry. */
    float timestepAt(int entry) {
        return entry * stride + stride - 1;
    }

    /** The timestep of a noise level, between entries and within the table's ends. */
    public float timestep(float sigma) {
        float logSigma = (float) Math.log(sigma);
        int low = entryBelow(logSigma);
        int high = low + 1;
        if (nearestEntry) {
            // The middle of LCM's table lies between two entries: torch's rounding takes the lower.
            float tie = stride > 1 ? TIE : 0;
            return timestepAt(Math.abs(logSigma - logSigmas[low]) <= Math.abs(logSigma - logSigmas[high]) + tie ? low : high);
        }
        float weight = (logSigmas[low] - logSigma) / (logSigmas[low] - logSigmas[high]);
        weight = Math.max(0, Math.min(1, weight));
        return (1 - weight) * low + weight * high;
    }

    /** The last entry at or below a level, but one that has another above it. */
    private int entryBelow(float logSigma) {
        int low = 0;
        int high = logSigmas.length - 1;
        while (high - low > 1) {
            int middle = (low + high) >>> 1;
            if (logSigmas[middle] <= logSigma) {
                low = middle;
            } else {
                high = middle;
            }
        }
        return low;
    }

    /** The noise level of a timestep, which may lie between two entries. */
    public float sigma(float timestep) {
        float inside = Math.max(0, Math.min(logSigmas.length - 1, (timestep - (stride - 1)) / stride));
        int low = (int) inside;
        int high = Math.min(low + 1, logSigmas.length - 1);
        float weight = inside - low;
        return (float) Math.exp((1 - weight) * logSigmas[low] + weight * logSigmas[high]);
    }
}
