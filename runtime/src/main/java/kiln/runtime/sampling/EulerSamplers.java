package kiln.runtime.sampling;

/** Euler's and Heun's methods (Karras et al. 2022, algorithm 2), and LCM, which jumps to the clean latent at each step. */
final class EulerSamplers {
    private EulerSamplers() {}

    static void euler(SamplerRun run, float[] x) {
        float[] sigmas = run.sigmas();
        int steps = sigmas.length - 1;
        for (int i = 0; i < steps; i++) {
            float raised = run.churn(x, sigmas[i], steps);
            float[] denoised = run.denoise(x, raised);
            Steps.euler(x, denoised, raised, sigmas[i + 1] - raised);
            run.done(i, steps, sigmas[i], denoised);
        }
    }

    static void eulerAncestral(SamplerRun run, float[] x) {
        float[] sigmas = run.sigmas();
        int steps = sigmas.length - 1;
        for (int i = 0; i < steps; i++) {
            float[] denoised = run.denoise(x, sigmas[i]);
            Steps.Ancestral to = Steps.Ancestral.between(sigmas[i], sigmas[i + 1], run.eta());
            Steps.euler(x, denoised, sigmas[i], to.down() - sigmas[i]);
            if (sigmas[i + 1] > 0) {
                run.addNoise(x, to.up());
            }
            run.done(i, steps, sigmas[i], denoised);
        }
    }

    static void heun(SamplerRun run, float[] x) {
        float[] sigmas = run.sigmas();
        int steps = sigmas.length - 1;
        for (int i = 0; i < steps; i++) {
            float raised = run.churn(x, sigmas[i], steps);
            float[] denoised = heunStep(run, x, raised, sigmas[i + 1]);
            run.done(i, steps, sigmas[i], denoised);
        }
    }

    /** One step of Heun's method, Euler's to 0. Returns the estimate that it began with. */
    static float[] heunStep(SamplerRun run, float[] x, float sigma, float next) {
        float[] denoised = run.denoise(x, sigma);
        float dt = next - sigma;
        if (next == 0) {
            Steps.euler(x, denoised, sigma, dt);
            return denoised;
        }
        float[] slope = Steps.slope(x, denoised, sigma);
        float[] ahead = x.clone();
        Steps.advance(ahead, slope, dt);
        float[] denoisedAhead = run.denoise(ahead, next);
        for (int k = 0; k < x.length; k++) {
            float slopeAhead = (ahead[k] - denoisedAhead[k]) / next;
            x[k] += (slope[k] + slopeAhead) / 2 * dt;
        }
        return denoised;
    }

    /** Luo et al. 2023, as A1111 walks it. */
    static void lcm(SamplerRun run, float[] x) {
        float[] sigmas = run.sigmas();
        int steps = sigmas.length - 1;
        for (int i = 0; i < steps; i++) {
            float[] denoised = run.denoise(x, sigmas[i]);
            System.arraycopy(denoised, 0, x, 0, x.length);
            if (sigmas[i + 1] > 0) {
                run.addNoise(x, sigmas[i + 1]);
            }
            run.done(i, steps, sigmas[i], denoised);
        }
    }
}
