package kiln.runtime.sampling;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * The samplers of k-diffusion (Karras et al. 2022; Lu et al. 2022 for the DPM-Solvers) with eta 1 and no churn: one run over one
 * list of noise levels.
 */
final class KDiffusion {
    private static final int LMS_ORDER = 4;

    private final float[] sigmas;
    private final int steps;
    private final Denoiser denoiser;
    private final StepNoise stepNoise;
    private final StepListener listener;

    KDiffusion(float[] sigmas, Denoiser denoiser, StepNoise stepNoise, StepListener listener) {
        this.sigmas = sigmas;
        this.steps = sigmas.length - 1;
        this.denoiser = denoiser;
        this.stepNoise = stepNoise;
        this.listener = listener;
    }

    /** Samples from {@code x}, noise at the first level, and returns the result in the same array. */
    float[] sample(Sampler sampler, float[] x) {
        switch (sampler) {
            case EULER -> euler(x);
            case EULER_A -> eulerAncestral(x);
            case HEUN -> heun(x);
            case LMS -> lms(x);
            case DPM2 -> dpm2(x);
            case DPM2_A -> dpm2Ancestral(x);
            case DPMPP_2S_A -> dpmpp2sAncestral(x);
            case DPMPP_2M -> dpmpp2m(x);
            default -> throw new IllegalArgumentException(sampler + " is not a sampler over sigmas");
        }
        return x;
    }

    private void euler(float[] x) {
        for (int i = 0; i < steps; i++) {
            float[] denoised = denoiser.denoise(x, sigmas[i]);
            advance(x, slope(x, denoised, sigmas[i]), sigmas[i + 1] - sigmas[i]);
            done(i, denoised);
        }
    }

    private void eulerAncestral(float[] x) {
        for (int i = 0; i < steps; i++) {
            float[] denoised = denoiser.denoise(x, sigmas[i]);
            AncestralStep to = AncestralStep.between(sigmas[i], sigmas[i + 1]);
            advance(x, slope(x, denoised, sigmas[i]), to.down() - sigmas[i]);
            if (sigmas[i + 1] > 0) {
                addNoise(x, to.up());
            }
            done(i, denoised);
        }
    }

    private void heun(float[] x) {
        for (int i = 0; i < steps; i++) {
            float[] denoised = denoiser.denoise(x, sigmas[i]);
            float[] slope = slope(x, denoised, sigmas[i]);
            float dt = sigmas[i + 1] - sigmas[i];
            if (sigmas[i + 1] != 0) {
                float[] ahead = x.clone();
                advance(ahead, slope, dt);
                float[] slopeAhead = slope(ahead, denoiser.denoise(ahead, sigmas[i + 1]), sigmas[i + 1]);
                for (int k = 0; k < slope.length; k++) {
                    slope[k] = (slope[k] + slopeAhead[k]) / 2;
                }
            }
            advance(x, slope, dt);
            done(i, denoised);
        }
    }

    private void lms(float[] x) {
        Deque<float[]> slopes = new ArrayDeque<>();
        for (int i = 0; i < steps; i++) {
            float[] denoised = denoiser.denoise(x, sigmas[i]);
            slopes.addFirst(slope(x, denoised, sigmas[i]));
            if (slopes.size() > LMS_ORDER) {
                slopes.removeLast();
            }
            List<float[]> newestFirst = new ArrayList<>(slopes);
            float[] change = new float[x.length];
            for (int j = 0; j < newestFirst.size(); j++) {
                advance(change, newestFirst.get(j), lmsCoefficient(newestFirst.size(), i, j));
            }
            advance(x, change, 1);
            done(i, denoised);
        }
    }

    /**
     * The integral over step {@code i} of the Lagrange polynomial that is 1 at the level {@code j} steps back and 0 at the other
     * {@code order - 1}. Two Gauss points are exact up to the third degree, so for {@link #LMS_ORDER}.
     */
    private float lmsCoefficient(int order, int i, int j) {
        double middle = ((double) sigmas[i] + sigmas[i + 1]) / 2;
        double half = ((double) sigmas[i + 1] - sigmas[i]) / 2;
        double sum = 0;
        for (double at : new double[] {middle - half / Math.sqrt(3), middle + half / Math.sqrt(3)}) {
            double product = 1;
            for (int k = 0; k < order; k++) {
                if (k != j) {
                    product *= (at - sigmas[i - k]) / ((double) sigmas[i - j] - sigmas[i - k]);
                }
            }
            sum += product;
        }
        return (float) (sum * half);
    }

    private void dpm2(float[] x) {
        for (int i = 0; i < steps; i++) {
            float[] denoised = denoiser.denoise(x, sigmas[i]);
            midpointStep(x, denoised, sigmas[i], sigmas[i + 1]);
            done(i, denoised);
        }
    }

    private void dpm2Ancestral(float[] x) {
        for (int i = 0; i < steps; i++) {
            float[] denoised = denoiser.denoise(x, sigmas[i]);
            AncestralStep to = AncestralStep.between(sigmas[i], sigmas[i + 1]);
            midpointStep(x, denoised, sigmas[i], to.down());
            if (to.down() != 0) {
                addNoise(x, to.up());
            }
            done(i, denoised);
        }
    }

    /** From {@code sigma} to {@code next} along the slope at the level halfway between their logarithms; a plain step to 0. */
    private void midpointStep(float[] x, float[] denoised, float sigma, float next) {
        float[] slope = slope(x, denoised, sigma);
        if (next != 0) {
            float middle = (float) Math.exp((Math.log(sigma) + Math.log(next)) / 2);
            float[] halfway = x.clone();
            advance(halfway, slope, middle - sigma);
            slope = slope(halfway, denoiser.denoise(halfway, middle), middle);
        }
        advance(x, slope, next - sigma);
    }

    private void dpmpp2sAncestral(float[] x) {
        for (int i = 0; i < steps; i++) {
            float[] denoised = denoiser.denoise(x, sigmas[i]);
            AncestralStep to = AncestralStep.between(sigmas[i], sigmas[i + 1]);
            if (to.down() == 0) {
                advance(x, slope(x, denoised, sigmas[i]), -sigmas[i]);
            } else {
                float time = time(sigmas[i]);
                float length = time(to.down()) - time;
                float middle = sigma(time + length / 2);
                float[] halfway = x.clone();
                blend(halfway, denoised, middle / sigmas[i], length / 2);
                blend(x, denoiser.denoise(halfway, middle), to.down() / sigmas[i], length);
            }
            if (sigmas[i + 1] > 0) {
                addNoise(x, to.up());
            }
            done(i, denoised);
        }
    }

    private void dpmpp2m(float[] x) {
        float[] previous = null;
        for (int i = 0; i < steps; i++) {
            float[] denoised = denoiser.denoise(x, sigmas[i]);
            float time = time(sigmas[i]);
            float length = time(sigmas[i + 1]) - time;
            float[] target = denoised;
            if (previous != null && sigmas[i + 1] != 0) {
                float ratio = (time - time(sigmas[i - 1])) / length;
                float weight = 1 / (2 * ratio);
                target = new float[x.length];
                for (int k = 0; k < x.length; k++) {
                    target[k] = (1 + weight) * denoised[k] - weight * previous[k];
                }
            }
            blend(x, target, sigmas[i + 1] / sigmas[i], length);
            previous = denoised;
            done(i, denoised);
        }
    }

    /** Time in which the DPM-Solvers' equation is linear: it grows without bound as sigma falls to 0. */
    private static float time(float sigma) {
        return (float) -Math.log(sigma);
    }

    private static float sigma(float time) {
        return (float) Math.exp(-time);
    }

    /** The exact solution over {@code length} of time when the clean latent stays {@code target}: all of it for an endless step. */
    private static void blend(float[] x, float[] target, float keep, float length) {
        float take = (float) -Math.expm1(-length);
        for (int k = 0; k < x.length; k++) {
            x[k] = keep * x[k] + take * target[k];
        }
    }

    private static float[] slope(float[] x, float[] denoised, float sigma) {
        float[] slope = new float[x.length];
        for (int k = 0; k < x.length; k++) {
            slope[k] = (x[k] - denoised[k]) / sigma;
        }
        return slope;
    }

    private static void advance(float[] x, float[] slope, float by) {
        for (int k = 0; k < x.length; k++) {
            x[k] += slope[k] * by;
        }
    }

    private void addNoise(float[] x, float sigma) {
        float[] noise = new float[x.length];
        stepNoise.fill(noise);
        advance(x, noise, sigma);
    }

    private void done(int index, float[] denoised) {
        listener.step(index + 1, steps, sigmas[index], denoised);
    }

    /** How far down a step goes without noise, and how much noise brings it back up to the next level. */
    private record AncestralStep(float down, float up) {
        static AncestralStep between(float from, float to) {
            // Equal to k-diffusion's sqrt(to² - up²), which loses all digits to cancellation when the step is large.
            return new AncestralStep(to * to / from, (float) Math.sqrt(to * to * (from * from - to * to) / (from * from)));
        }
    }
}
