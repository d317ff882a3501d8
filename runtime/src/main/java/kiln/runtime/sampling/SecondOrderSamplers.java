package kiln.runtime.sampling;

/** Samplers that look at a point inside each step: DPM2 (Karras et al. 2022) and DPM-Solver++(2S) (Lu et al. 2022). */
final class SecondOrderSamplers {
    private SecondOrderSamplers() {}

    static void dpm2(SamplerRun run, float[] x) {
        float[] sigmas = run.sigmas();
        int steps = sigmas.length - 1;
        for (int i = 0; i < steps; i++) {
            float raised = run.churn(x, sigmas[i], steps);
            float[] denoised = run.denoise(x, raised);
            midpointStep(run, x, denoised, raised, sigmas[i + 1]);
            run.done(i, steps, sigmas[i], denoised);
        }
    }

    static void dpm2Ancestral(SamplerRun run, float[] x) {
        float[] sigmas = run.sigmas();
        int steps = sigmas.length - 1;
        for (int i = 0; i < steps; i++) {
            float[] denoised = run.denoise(x, sigmas[i]);
            Steps.Ancestral to = Steps.Ancestral.between(sigmas[i], sigmas[i + 1], run.eta());
            midpointStep(run, x, denoised, sigmas[i], to.down());
            if (to.down() != 0) {
                run.addNoise(x, to.up() * run.noiseFactor());
            }
            run.done(i, steps, sigmas[i], denoised);
        }
    }

    /** From {@code sigma} to {@code next} along the slope at the level halfway between their logarithms; a plain step to 0. */
    private static void midpointStep(SamplerRun run, float[] x, float[] denoised, float sigma, float next) {
        if (next == 0) {
            Steps.euler(x, denoised, sigma, next - sigma);
            return;
        }
        float middle = (float) Math.exp((Math.log(sigma) + Math.log(next)) / 2);
        float[] halfway = x.clone();
        Steps.euler(halfway, denoised, sigma, middle - sigma);
        float[] denoisedHalfway = run.denoise(halfway, middle);
        float dt = next - sigma;
        for (int k = 0; k < x.length; k++) {
            x[k] += (halfway[k] - denoisedHalfway[k]) / middle * dt;
        }
    }

    static void dpmpp2sAncestral(SamplerRun run, float[] x) {
        float[] sigmas = run.sigmas();
        int steps = sigmas.length - 1;
        for (int i = 0; i < steps; i++) {
            float[] denoised = run.denoise(x, sigmas[i]);
            Steps.Ancestral to = Steps.Ancestral.between(sigmas[i], sigmas[i + 1], run.eta());
            if (to.down() == 0) {
                Steps.euler(x, denoised, sigmas[i], -sigmas[i]);
            } else {
                float time = Steps.time(sigmas[i]);
                float length = Steps.time(to.down()) - time;
                float middle = Steps.sigma(time + length / 2);
                float[] halfway = x.clone();
                Steps.blend(halfway, denoised, middle / sigmas[i], length / 2);
                Steps.blend(x, run.denoise(halfway, middle), to.down() / sigmas[i], length);
            }
            if (sigmas[i + 1] > 0) {
                run.addNoise(x, to.up() * run.noiseFactor());
            }
            run.done(i, steps, sigmas[i], denoised);
        }
    }
}
