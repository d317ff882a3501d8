package kiln.runtime.sampling;

/**
 * DPM-Solver++ for the stochastic equation (Lu et al. 2022): as much noise is added along each step as eta says, taken from a Brownian
 * motion over the noise levels.
 */
final class SdeSamplers {
    private SdeSamplers() {}

    static void dpmppSde(SamplerRun run, float[] x) {
        float[] sigmas = run.sigmas();
        int steps = sigmas.length - 1;
        for (int i = 0; i < steps; i++) {
            float sigma = sigmas[i];
            float next = sigmas[i + 1];
            float[] denoised = run.denoise(x, sigma);
            if (next == 0) {
                Steps.euler(x, denoised, sigma, -sigma);
            } else {
                float middle = (float) Math.sqrt((double) sigma * next);
                float[] halfway = x.clone();
                noisyStep(run, halfway, denoised, sigma, middle);
                noisyStep(run, x, run.denoise(halfway, middle), sigma, next);
            }
            run.done(i, steps, sigma, denoised);
        }
    }

    private static void noisyStep(SamplerRun run, float[] x, float[] target, float sigma, float next) {
        Steps.Ancestral to = Steps.Ancestral.between(sigma, next, run.eta());
        double keep = (double) to.down() / sigma;
        Steps.mix(x, (float) keep, target, (float) (1 - keep));
        run.addNoiseBetween(x, sigma, next, to.up() * run.noiseFactor());
    }

    static void dpmpp2mSdeMidpoint(SamplerRun run, float[] x) {
        dpmpp2mSde(run, x, false);
    }

    static void dpmpp2mSdeHeun(SamplerRun run, float[] x) {
        dpmpp2mSde(run, x, true);
    }

    private static void dpmpp2mSde(SamplerRun run, float[] x, boolean heun) {
        float[] sigmas = run.sigmas();
        int steps = sigmas.length - 1;
        float[] previous = null;
        double previousLength = 0;
        for (int i = 0; i < steps; i++) {
            float[] denoised = run.denoise(x, sigmas[i]);
            if (sigmas[i + 1] == 0) {
                System.arraycopy(denoised, 0, x, 0, x.length);
            } else {
                double length = Math.log(sigmas[i]) - Math.log(sigmas[i + 1]);
                double reach = length * (1 + run.eta());
                double take = -Math.expm1(-reach);
                Steps.mix(x, (float) Math.exp(-reach), denoised, (float) take);
                if (previous != null) {
                    double weight = (heun ? 1 - take / reach : take / 2) * length / previousLength;
                    addDifference(x, denoised, previous, (float) weight);
                }
                addStepNoise(run, x, sigmas[i], sigmas[i + 1], length);
                previousLength = length;
            }
            previous = denoised;
            run.done(i, steps, sigmas[i], denoised);
        }
    }

    static void dpmpp3mSde(SamplerRun run, float[] x) {
        float[] sigmas = run.sigmas();
        int steps = sigmas.length - 1;
        float[] denoised1 = null;
        float[] denoised2 = null;
        double length1 = 0;
        double length2 = 0;
        for (int i = 0; i < steps; i++) {
            float[] denoised = run.denoise(x, sigmas[i]);
            if (sigmas[i + 1] == 0) {
                System.arraycopy(denoised, 0, x, 0, x.length);
            } else {
                double length = Math.log(sigmas[i]) - Math.log(sigmas[i + 1]);
                double reach = length * (1 + run.eta());
                Steps.mix(x, (float) Math.exp(-reach), denoised, (float) -Math.expm1(-reach));
                double phi2 = Math.expm1(-reach) / reach + 1;
                if (denoised2 != null) {
                    double phi3 = phi2 / reach - 0.5;
                    double ratio0 = length1 / length;
                    double ratio1 = length2 / length;
                    // First and second difference, gathered into one weight for each of the two changes.
                    double second = (phi2 * ratio0 - phi3) / (ratio0 + ratio1);
                    addDifference(x, denoised, denoised1, (float) ((phi2 + second) / ratio0));
                    addDifference(x, denoised1, denoised2, (float) (-second / ratio1));
                } else if (denoised1 != null) {
                    addDifference(x, denoised, denoised1, (float) (phi2 * length / length1));
                }
                addStepNoise(run, x, sigmas[i], sigmas[i + 1], length);
                length2 = length1;
                length1 = length;
            }
            denoised2 = denoised1;
            denoised1 = denoised;
            run.done(i, steps, sigmas[i], denoised);
        }
    }

    private static void addDifference(float[] x, float[] newer, float[] older, float by) {
        for (int k = 0; k < x.length; k++) {
            x[k] += by * (newer[k] - older[k]);
        }
    }

    private static void addStepNoise(SamplerRun run, float[] x, float sigma, float next, double length) {
        if (run.eta() != 0) {
            run.addNoiseBetween(x, sigma, next, next * Math.sqrt(-Math.expm1(-2 * length * run.eta())) * run.noiseFactor());
        }
    }
}
