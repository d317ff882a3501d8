package kiln.runtime.sampling;

import java.util.Objects;
import kiln.runtime.base.KilnException;

/**
 * A network as samplers see it: what it predicts, turned into the clean latent at any noise level (k-diffusion's CompVisDenoiser and
 * CompVisVDenoiser) or into the noise at a timestep (for DDIM and its kin).
 *
 * <p>Used by one thread at a time, as its network is.
 */
public final class ModelDenoiser implements Denoiser {
    private final GuidedNetwork network;
    private final ModelSampling sampling;
    private final Prediction prediction;

    public ModelDenoiser(GuidedNetwork network, ModelSampling sampling, Prediction prediction) {
        this.network = Objects.requireNonNull(network, "network");
        this.sampling = Objects.requireNonNull(sampling, "sampling");
        this.prediction = Objects.requireNonNull(prediction, "prediction");
    }

    /** The noise levels that the network was trained with. */
    public ModelSampling sampling() {
        return sampling;
    }

    @Override
    public float[] denoise(float[] x, float sigma) {
        float in = prediction.in(sigma);
        float[] input = new float[x.length];
        for (int i = 0; i < x.length; i++) {
            input[i] = x[i] * in;
        }
        float[] output = network.predict(input, sampling.timestep(sigma), sigma).guided();
        float skip = prediction.skip(sigma);
        float out = prediction.out(sigma);
        float[] denoised = new float[x.length];
        for (int i = 0; i < x.length; i++) {
            denoised[i] = skip * x[i] + out * output[i];
        }
        return denoised;
    }

    /**
     * The noise in {@code x}, guided and unconditional, where {@code x} has the scale of a timestep: {@code sqrt(a)·latent +
     * sqrt(1 − a)·noise}.
     *
     * @throws KilnException {@code BAD_REQUEST} for a flow model, which has no such scale
     */
    GuidedOutput eps(float[] x, float timestep) {
        GuidedOutput output = network.predict(x, timestep, timestep);
        return switch (prediction) {
            case EPS -> output;
            case V -> new GuidedOutput(epsOfVelocity(x, timestep, output.guided()), epsOfVelocity(x, timestep, output.unconditional()));
            case FLOW -> throw KilnException.badRequest("samplers over timesteps do not fit flow models: choose Euler or another");
        };
    }

    private float[] epsOfVelocity(float[] x, float timestep, float[] velocity) {
        float a = sampling.alphaCumprod((int) timestep);
        float signal = (float) Math.sqrt(a);
        float noise = (float) Math.sqrt(1 - a);
        float[] eps = new float[x.length];
        for (int i = 0; i < x.length; i++) {
            eps[i] = signal * velocity[i] + noise * x[i];
        }
        return eps;
    }
}
