package kiln.runtime.sampling;

/** What samplers over noise levels see of a model. */
@FunctionalInterface
public interface Denoiser {
    /** The clean latent that {@code x} at noise level {@code sigma} seems to hold, in a new array; {@code x} is not written to. */
    float[] denoise(float[] x, float sigma);
}
