package kiln.runtime.sampling;

/** The arithmetic that samplers share, each one pass over the arrays. */
final class Steps {
    private Steps() {}

    /** The direction in which {@code x} at a level leads to the clean latent: {@code (x − denoised) / sigma}. */
    static float[] slope(float[] x, float[] denoised, float sigma) {
        float[] slope = new float[x.length];
        for (int k = 0; k < x.length; k++) {
            slope[k] = (x[k] - denoised[k]) / sigma;
        }
        return slope;
    }

    static void advance(float[] x, float[] slope, float by) {
        for (int k = 0; k < x.length; k++) {
            x[k] += slope[k] * by;
        }
    }

    /** Euler's step from a level over {@code by}, without keeping the slope. */
    static void euler(float[] x, float[] denoised, float sigma, float by) {
        for (int k = 0; k < x.length; k++) {
            x[k] += (x[k] - denoised[k]) / sigma * by;
        }
    }

    static void mix(float[] x, float keep, float[] target, float take) {
        for (int k = 0; k < x.length; k++) {
            x[k] = keep * x[k] + take * target[k];
        }
    }

    /** The exact solution over {@code length} of time when the clean latent stays {@code target}: all of it for an endless step. */
    static void blend(float[] x, float[] target, float keep, float length) {
        mix(x, keep, target, (float) -Math.expm1(-length));
    }

    /** Time in which the DPM-Solvers' equation is linear: it grows without bound as sigma falls to 0. */
    static float time(float sigma) {
        return (float) -Math.log(sigma);
    }

    static float sigma(float time) {
        return (float) Math.exp(-time);
    }

    /** How far down a step goes without noise, and how much noise brings it back up to the next level. */
    record Ancestral(float down, float up) {
        static Ancestral between(float from, float to, double eta) {
            if (eta == 1) {
                // Equal to k-diffusion's sqrt(to² - up²), which loses all digits to cancellation when the step is large.
                return new Ancestral(to * to / from, (float) Math.sqrt(to * to * (from * from - to * to) / (from * from)));
            }
            if (eta == 0) {
                return new Ancestral(to, 0);
            }
            double ratio = (double) to / from;
            double fresh = Math.min(1, eta * Math.sqrt(Math.max(0, 1 - ratio * ratio)));
            return new Ancestral((float) (to * Math.sqrt(1 - fresh * fresh)), (float) (to * fresh));
        }
    }
}
