package kiln.runtime.sampling;

import kiln.runtime.base.KilnException;

/**
 * A model's noise levels: the table from timestep to sigma, and both directions between its entries. Immutable.
 *
 * <p>{@code sigma = sqrt((1 - a) / a)} with {@code a} the cumulative product of alphas; between entries log(sigma) is linear in the
 * timestep, as k-diffusion's DiscreteSchedule has it.
 */
public final class ModelSampling {
    private static final int SD1_STEPS = 1000;
    private static final double SD1_FIRST_BETA = 0.00085;
    private static final double SD1_LAST_BETA = 0.012;

    private final float[] alphasCumprod;
    private final float[] sigmas;
    private final float[] logSigmas;

    /**
     * @param alphasCumprod one per timestep, strictly falling, inside (0, 1)
     * @throws KilnException {@code UNSUPPORTED_MODEL} when they are not
     */
    public ModelSampling(float[] alphasCumprod) {
        this.alphasCumprod = alphasCumprod.clone();
        int steps = alphasCumprod.length;
        if (steps < 2) {
            throw unsupported("at least 2 entries are needed, found " + steps);
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

    /** The table of Stable Diffusion 1.x. */
    public static ModelSampling sd1() {
        return scaledLinear(SD1_FIRST_BETA, SD1_LAST_BETA, SD1_STEPS);
    }

    /** Betas whose square roots are evenly spaced, as latent diffusion's are ("scaled linear"). */
    public static ModelSampling scaledLinear(double firstBeta, double lastBeta, int steps) {
        double first = Math.sqrt(firstBeta);
        double last = Math.sqrt(lastBeta);
        float[] alphas = new float[steps];
        double product = 1;
        for (int i = 0; i < steps; i++) {
            double root = first + (last - first) * i / (steps - 1);
            product *= 1 - root * root;
            alphas[i] = (float) product;
        }
        return new ModelSampling(alphas);
    }

    /** How many timesteps there are. */
    public int timesteps() {
        return sigmas.length;
    }

    public float alphaCumprod(int timestep) {
        return alphasCumprod[timestep];
    }

    /** The sigma of a whole timestep. */
    public float sigmaAt(int timestep) {
        return sigmas[timestep];
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

    /** The timestep of a noise level, between entries and within the table's ends. */
    public float timestep(float sigma) {
        float logSigma = (float) Math.log(sigma);
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
        float weight = (logSigmas[low] - logSigma) / (logSigmas[low] - logSigmas[high]);
        weight = Math.max(0, Math.min(1, weight));
        return (1 - weight) * low + weight * high;
    }

    /** The noise level of a timestep, which may lie between two entries. */
    public float sigma(float timestep) {
        float inside = Math.max(0, Math.min(logSigmas.length - 1, timestep));
        int low = (int) inside;
        int high = Math.min(low + 1, logSigmas.length - 1);
        float weight = inside - low;
        return (float) Math.exp((1 - weight) * logSigmas[low] + weight * logSigmas[high]);
    }
}
