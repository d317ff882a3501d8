package kiln.runtime.sampling;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;

/**
 * Samplers that walk whole timesteps down from the last of a list: DDIM (Song et al. 2020, equation 12), DDIM CFG++ (Chung et al.
 * 2024) and PLMS (Liu et al. 2022).
 */
final class TimestepSamplers {
    private static final int PLMS_HISTORY = 3;

    private TimestepSamplers() {}

    /** What a step between two timesteps weighs its parts by. */
    private record Weights(float rootA, float rootOneMinusA, float rootPrevious, float direction, float noise) {
        static Weights between(ModelSampling sampling, int timestep, int previousTimestep, double eta) {
            float a = sampling.alphaCumprod(timestep);
            double previous = sampling.alphaCumprod(previousTimestep);
            double noise = eta * Math.sqrt((1 - previous) / (1 - a) * Math.max(0, 1 - a / previous));
            return new Weights(
                    (float) Math.sqrt(a),
                    (float) Math.sqrt(1 - a),
                    (float) Math.sqrt(previous),
                    (float) Math.sqrt(Math.max(0, 1 - previous - noise * noise)),
                    (float) noise);
        }

        /** Takes {@code x} along {@code eps} and back along {@code direction}; returns the clean latent between. */
        float[] step(float[] x, float[] eps, float[] back) {
            float[] denoised = new float[x.length];
            for (int k = 0; k < x.length; k++) {
                denoised[k] = (x[k] - rootOneMinusA * eps[k]) / rootA;
                x[k] = rootPrevious * denoised[k] + direction * back[k];
            }
            return denoised;
        }
    }

    static void ddim(SamplerRun run, float[] x) {
        ddim(run, x, false);
    }

    static void ddimCfgpp(SamplerRun run, float[] x) {
        ddim(run, x, true);
    }

    private static void ddim(SamplerRun run, float[] x, boolean backUnconditionally) {
        ModelSampling sampling = run.model().sampling();
        int[] timesteps = run.plan().walkedTimesteps();
        int steps = timesteps.length - 1;
        for (int i = 0; i < steps; i++) {
            int timestep = timesteps[steps - i];
            GuidedOutput eps = run.model().eps(x, timestep);
            Weights weights = Weights.between(sampling, timestep, timesteps[steps - i - 1], run.eta());
            float[] denoised = weights.step(x, eps.guided(), backUnconditionally ? eps.unconditional() : eps.guided());
            if (weights.noise() == 0) {
                // Weighs nothing, but A1111 draws it: what an image's generator gives next depends on it.
                run.skipNoise(x.length);
            } else {
                run.addNoise(x, weights.noise());
            }
            run.done(i, steps, sampling.sigmaAt(timestep), denoised);
        }
    }

    static void plms(SamplerRun run, float[] x) {
        ModelSampling sampling = run.model().sampling();
        int[] timesteps = run.plan().walkedTimesteps();
        int steps = timesteps.length - 1;
        Deque<float[]> newestFirst = new ArrayDeque<>();
        for (int i = 0; i < steps; i++) {
            int timestep = timesteps[steps - i];
            int previous = timesteps[steps - i - 1];
            Weights weights = Weights.between(sampling, timestep, previous, 0);
            float[] eps = run.model().eps(x, timestep).guided().clone();
            float[] slope;
            if (newestFirst.isEmpty()) {
                float[] ahead = x.clone();
                weights.step(ahead, eps, eps);
                float[] epsAhead = run.model().eps(ahead, previous).guided();
                slope = weighted(eps, newestFirst, 0.5f);
                Steps.advance(slope, epsAhead, 0.5f);
            } else {
                slope = switch (newestFirst.size()) {
                    case 1 -> weighted(eps, newestFirst, 3 / 2f, -1 / 2f);
                    case 2 -> weighted(eps, newestFirst, 23 / 12f, -16 / 12f, 5 / 12f);
                    default -> weighted(eps, newestFirst, 55 / 24f, -59 / 24f, 37 / 24f, -9 / 24f);
                };
            }
            float[] denoised = weights.step(x, slope, slope);
            newestFirst.addFirst(eps);
            if (newestFirst.size() > PLMS_HISTORY) {
                newestFirst.removeLast();
            }
            run.done(i, steps, sampling.sigmaAt(timestep), denoised);
        }
    }

    /** Adams' and Bashforth's sum of the newest slope and earlier ones. */
    private static float[] weighted(float[] newest, Deque<float[]> newestFirst, float... weights) {
        float[] sum = new float[newest.length];
        Steps.advance(sum, newest, weights[0]);
        Iterator<float[]> earlier = newestFirst.iterator();
        for (int j = 1; j < weights.length; j++) {
            Steps.advance(sum, earlier.next(), weights[j]);
        }
        return sum;
    }
}
