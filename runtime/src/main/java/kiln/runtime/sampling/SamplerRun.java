package kiln.runtime.sampling;

/**
 * What a sampler works with in one run: where it walks, the model, the noise, the numbers, and who listens.
 *
 * <p>Belongs to the thread that samples. Samplers change {@code x} in place and keep scalars in float32 where torch does.
 */
final class SamplerRun {
    private final SamplingPlan plan;
    private final ModelDenoiser model;
    private final Denoiser denoiser;
    private final StepNoise noise;
    private final StepListener listener;
    private float[] scratch;

    SamplerRun(SamplingPlan plan, ModelDenoiser model, Denoiser denoiser, StepNoise noise, StepListener listener) {
        this.plan = plan;
        this.model = model;
        this.denoiser = denoiser;
        this.noise = noise;
        this.listener = listener;
    }

    SamplingPlan plan() {
        return plan;
    }

    /** The noise levels walked, the last one included. */
    float[] sigmas() {
        return plan.walkedSigmas();
    }

    float[] denoise(float[] x, float sigma) {
        return denoiser.denoise(x, sigma);
    }

    /** For samplers over timesteps. */
    ModelDenoiser model() {
        return model;
    }

    /** How much of a step's noise is fresh. */
    double eta() {
        return plan.eta();
    }

    /** Factor of added noise ({@code s_noise}). */
    double noiseFactor() {
        return plan.options().churn().noise();
    }

    /** Raises {@code x} from a level to the one that churn begins the step with; the noise is drawn whether it is used or not. */
    float churn(float[] x, float sigma, int steps) {
        Churn churn = plan.options().churn();
        double gamma = churn.gamma(sigma, steps);
        if (!(gamma > 0)) {
            noise.skip(x.length);
            return sigma;
        }
        float raised = (float) (sigma * (gamma + 1));
        addNoise(x, churn.noise() * Math.sqrt((double) raised * raised - (double) sigma * sigma));
        return raised;
    }

    /** Adds the stream's next noise, {@code by} times. */
    void addNoise(float[] x, double by) {
        float[] drawn = scratch(x.length);
        noise.fill(drawn);
        Steps.advance(x, drawn, (float) by);
    }

    /** Adds the Brownian noise between two levels, {@code by} times. */
    void addNoiseBetween(float[] x, float sigma, float nextSigma, double by) {
        float[] drawn = scratch(x.length);
        noise.fillBetween(drawn, sigma, nextSigma);
        Steps.advance(x, drawn, (float) by);
    }

    /** Draws noise that weighs nothing. */
    void skipNoise(int count) {
        noise.skip(count);
    }

    private float[] scratch(int length) {
        if (scratch == null || scratch.length != length) {
            scratch = new float[length];
        }
        return scratch;
    }

    /** Tells that step {@code index} of {@code steps}, from 0, is done. */
    void done(int index, int steps, float sigma, float[] denoised) {
        listener.step(index + 1, steps, sigma, denoised);
    }
}
