package kiln.runtime.sampling;

import java.util.Arrays;
import kiln.runtime.base.KilnException;

/** Runs a sampler from first noise to finished latent. Stateless; a run belongs to the calling thread. */
public final class Sampling {
    public static final int MAX_STEPS = 1000;

    private Sampling() {}

    /**
     * Draws a batch of latents.
     *
     * @param steps 1 to {@link #MAX_STEPS}
     * @param noise standard normals {@code [batch, 4, h, w]}, each image's from its own seed; not written to
     * @return the finished latents in the sampler's scale (to be divided by 0.18215 before decoding), in a new array
     */
    public static float[] run(
            SamplerChoice choice,
            int steps,
            float[] noise,
            ModelDenoiser model,
            StepNoise stepNoise,
            StepListener listener) {
        if (choice.sampler().usesTimesteps()) {
            return Ddim.sample(steps(steps), noise, model, stepNoise, listener);
        }
        float[] sigmas = sigmas(choice, steps, model.sampling());
        float[] x = new float[noise.length];
        for (int i = 0; i < x.length; i++) {
            x[i] = noise[i] * sigmas[0];
        }
        return new KDiffusion(sigmas, model, stepNoise, listener).sample(choice.sampler(), x);
    }

    /**
     * The noise levels that a run goes through, the last (mostly 0) included: one more than the run has steps.
     *
     * @throws IllegalArgumentException for a sampler that takes no schedule
     */
    public static float[] sigmas(SamplerChoice choice, int steps, ModelSampling sampling) {
        if (choice.sampler().usesTimesteps()) {
            throw new IllegalArgumentException(choice.sampler().label() + " takes no schedule");
        }
        if (!choice.sampler().discardsPenultimateSigma()) {
            return choice.resolvedSchedule().sigmas(steps(steps), sampling);
        }
        float[] longer = choice.resolvedSchedule().sigmas(steps(steps) + 1, sampling);
        float[] sigmas = Arrays.copyOf(longer, longer.length - 1);
        sigmas[sigmas.length - 1] = longer[longer.length - 1];
        return sigmas;
    }

    /** How many times a run calls its model, for planning progress. */
    public static int networkCalls(SamplerChoice choice, int steps, ModelSampling sampling) {
        if (choice.sampler().usesTimesteps()) {
            return Ddim.timesteps(steps(steps), sampling).length - 1;
        }
        float[] sigmas = sigmas(choice, steps, sampling);
        int runSteps = sigmas.length - 1;
        boolean endsAtZero = sigmas[runSteps] == 0;
        return choice.sampler().order() * (endsAtZero ? runSteps - 1 : runSteps) + (endsAtZero ? 1 : 0);
    }

    private static int steps(int steps) {
        if (steps < 1 || steps > MAX_STEPS) {
            throw KilnException.badRequest("steps " + steps + " is outside 1 to " + MAX_STEPS);
        }
        return steps;
    }
}
