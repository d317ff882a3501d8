package kiln.runtime.sampling;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** Samplers that look back at earlier steps: LMS (Adams and Bashforth with uneven steps) and DPM-Solver++(2M) (Lu et al. 2022). */
final class MultistepSamplers {
    private static final int LMS_ORDER = 4;

    private MultistepSamplers() {}

    static void lms(SamplerRun run, float[] x) {
        float[] sigmas = run.sigmas();
        int steps = sigmas.length - 1;
        Deque<float[]> slopes = new ArrayDeque<>();
        for (int i = 0; i < steps; i++) {
            float[] denoised = run.denoise(x, sigmas[i]);
            slopes.addFirst(Steps.slope(x, denoised, sigmas[i]));
            if (slopes.size() > LMS_ORDER) {
                slopes.removeLast();
            }
            List<float[]> newestFirst = new ArrayList<>(slopes);
            float[] change = new float[x.length];
            for (int j = 0; j < newestFirst.size(); j++) {
                Steps.advance(change, newestFirst.get(j), lmsCoefficient(sigmas, newestFirst.size(), i, j));
            }
            Steps.advance(x, change, 1);
            run.done(i, steps, sigmas[i], denoised);
        }
    }

    /**
     * The integral over step {@code i} of the Lagrange polynomial that is 1 at the level {@code j} steps back and 0 at the other
     * {@code order - 1}. Two Gauss points are exact up to the third degree, so for {@link #LMS_ORDER}.
     */
    private static float lmsCoefficient(float[] sigmas, int order, int i, int j) {
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

    static void dpmpp2m(SamplerRun run, float[] x) {
        float[] sigmas = run.sigmas();
        int steps = sigmas.length - 1;
        float[] previous = null;
        for (int i = 0; i < steps; i++) {
            float[] denoised = run.denoise(x, sigmas[i]);
            float time = Steps.time(sigmas[i]);
            float length = Steps.time(sigmas[i + 1]) - time;
            float[] target = denoised;
            if (previous != null && sigmas[i + 1] != 0) {
                float ratio = (time - Steps.time(sigmas[i - 1])) / length;
                float weight = 1 / (2 * ratio);
                target = new float[x.length];
                for (int k = 0; k < x.length; k++) {
                    target[k] = (1 + weight) * denoised[k] - weight * previous[k];
                }
            }
            Steps.blend(x, target, sigmas[i + 1] / sigmas[i], length);
            previous = denoised;
            run.done(i, steps, sigmas[i], denoised);
        }
    }
}
