package kiln.runtime.sampling;

/** Runs from noise with A1111's usual options, in one call. */
public final class Sampling {
    public static final int MAX_STEPS = SamplingPlan.MAX_STEPS;

    private Sampling() {}

    /**
     * Draws a batch of latents.
     *
     * @param steps 1 to {@link #MAX_STEPS}
     * @param noise standard normals {@code [batch, channels, h, w]}, each image's from its own seed; not written to
     * @return the finished latents in the sampler's scale, in a new array
     */
    public static float[] run(
            SamplerChoice choice, int steps, float[] noise, ModelDenoiser model, StepNoise stepNoise, StepListener listener) {
        SamplingPlan plan = SamplingPlan.fromNoise(choice, steps, SamplerOptions.DEFAULTS, model.sampling());
        return plan.run(plan.start(noise), model, stepNoise, listener);
    }

    /** How many times such a run calls its model, for planning progress. */
    public static int networkCalls(SamplerChoice choice, int steps, ModelSampling sampling) {
        return SamplingPlan.fromNoise(choice, steps, SamplerOptions.DEFAULTS, sampling).networkCalls();
    }
}
