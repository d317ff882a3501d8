package kiln.runtime.sampling;

/**
 * Turns a model that predicts noise into one that predicts the clean latent, for any noise level (k-diffusion's CompVisDenoiser).
 */
final class Denoiser {
    private final ModelSampling sampling;
    private final EpsModel model;

    Denoiser(ModelSampling sampling, EpsModel model) {
        this.sampling = sampling;
        this.model = model;
    }

    /** The clean latent that {@code x} at level {@code sigma} seems to hold, in a new array. */
    float[] denoise(float[] x, float sigma) {
        float inputScale = (float) (1 / Math.sqrt(sigma * sigma + 1));
        float[] input = new float[x.length];
        for (int i = 0; i < x.length; i++) {
            input[i] = x[i] * inputScale;
        }
        float[] eps = model.eps(input, sampling.timestep(sigma));
        float[] denoised = new float[x.length];
        for (int i = 0; i < x.length; i++) {
            denoised[i] = x[i] - sigma * eps[i];
        }
        return denoised;
    }
}
