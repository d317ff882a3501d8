package kiln.runtime.sampling;

/** DDIM (Song et al. 2020, equation 12) with eta 0 over A1111's list of timesteps. */
final class Ddim {
    private Ddim() {}

    /**
     * The timesteps that a run walks, rising; the lowest is only arrived at, so a run has one step fewer than this has entries.
     *
     * <p>A1111's list for one step has one entry, and its run no step at all: there the run gets the last timestep to start from.
     */
    static int[] timesteps(int steps, ModelSampling sampling) {
        int last = sampling.timesteps() - 1;
        if (steps == 1) {
            return new int[] {1, last};
        }
        int stride = Math.max(sampling.timesteps() / steps, 1);
        int[] timesteps = new int[(last + stride) / stride];
        for (int i = 0; i < timesteps.length; i++) {
            timesteps[i] = Math.min(i * stride + 1, last);
        }
        return timesteps;
    }

    static float[] sample(int steps, float[] noise, ModelDenoiser model, StepNoise stepNoise, StepListener listener) {
        ModelSampling sampling = model.sampling();
        int[] timesteps = timesteps(steps, sampling);
        int runSteps = timesteps.length - 1;
        float[] x = noise.clone();
        float[] unused = new float[x.length];
        for (int i = 0; i < runSteps; i++) {
            int timestep = timesteps[runSteps - i];
            float[] eps = model.eps(x, timestep).guided();
            float a = sampling.alphaCumprod(timestep);
            double previous = sampling.alphaCumprod(timesteps[runSteps - i - 1]);
            float rootA = (float) Math.sqrt(a);
            float rootOneMinusA = (float) Math.sqrt(1 - a);
            float rootPrevious = (float) Math.sqrt(previous);
            float direction = (float) Math.sqrt(1 - previous);
            float[] denoised = new float[x.length];
            for (int k = 0; k < x.length; k++) {
                denoised[k] = (x[k] - rootOneMinusA * eps[k]) / rootA;
                x[k] = rootPrevious * denoised[k] + direction * eps[k];
            }
            // Weighs nothing at eta 0, but A1111 draws it: what an image's generator gives next depends on it.
            stepNoise.fill(unused);
            listener.step(i + 1, runSteps, sampling.sigmaAt(timestep), denoised);
        }
        return x;
    }
}
