package kiln.runtime.sampling;

import java.util.Objects;
import kiln.runtime.base.KilnException;

/**
 * A network as samplers see it: what it predicts, turned into the clean latent at any noise level (k-diffusion's CompVisDenoiser and
 * CompVisVDenoiser) or into the noise at a timestep (for DDIM and its kin).
 *
 * <p>Where a mask keeps parts of a picture's latent, it is blended in as A1111 does: into the clean latent, but before the network with
 * samplers over timesteps. Used by one thread at a time, as its network is.
 */
public final class ModelDenoiser implements Denoiser {
    private static final double LCM_DATA_VARIANCE = 0.25;
    private static final double LCM_TIME_SCALE = 10;

    private final GuidedNetwork network;
    private final ModelSampling sampling;
    private final Prediction prediction;
    private final KeptLatent kept;

    /** What a mask keeps: {@code part} 1 of {@code latent} where nothing shall change, 0 where all may. */
    private record KeptLatent(float[] part, float[] latent) {
        float[] blendedInto(float[] x) {
            float[] blended = new float[x.length];
            for (int i = 0; i < x.length; i++) {
                blended[i] = x[i] * (1 - part[i]) + latent[i] * part[i];
            }
            return blended;
        }
    }

    public ModelDenoiser(GuidedNetwork network, ModelSampling sampling, Prediction prediction) {
        this(network, sampling, prediction, null);
    }

    private ModelDenoiser(GuidedNetwork network, ModelSampling sampling, Prediction prediction, KeptLatent kept) {
        this.network = Objects.requireNonNull(network, "network");
        this.sampling = Objects.requireNonNull(sampling, "sampling");
        this.prediction = Objects.requireNonNull(prediction, "prediction");
        this.kept = kept;
    }

    /**
     * The same network under a mask.
     *
     * @param part 0 to 1, for each number of a batch's latent, how much of {@code latent} is kept
     */
    public ModelDenoiser keeping(float[] part, float[] latent) {
        if (part.length != latent.length) {
            throw new IllegalArgumentException("mask of " + part.length + " numbers, latent of " + latent.length);
        }
        return new ModelDenoiser(network, sampling, prediction, new KeptLatent(part, latent));
    }

    /** The noise levels that the network was trained with. */
    public ModelSampling sampling() {
        return sampling;
    }

    /** The same network, asked at whole timesteps only. */
    Denoiser quantized() {
        return new ModelDenoiser(network, sampling.quantized(), prediction, kept);
    }

    /** The network as LCM models were distilled: at every twentieth timestep, with little of the noisy latent left in the clean one. */
    Denoiser lcm() {
        ModelSampling table = sampling.lcm();
        return (x, sigma) -> {
            float timestep = table.timestep(sigma);
            double time = timestep * LCM_TIME_SCALE;
            float skip = (float) (LCM_DATA_VARIANCE / (time * time + LCM_DATA_VARIANCE));
            float out = (float) (time / Math.sqrt(time * time + LCM_DATA_VARIANCE));
            float[] clean = clean(x, sigma, timestep);
            for (int i = 0; i < x.length; i++) {
                clean[i] = out * clean[i] + skip * x[i];
            }
            return withKept(clean);
        };
    }

    @Override
    public float[] denoise(float[] x, float sigma) {
        return withKept(clean(x, sigma, sampling.timestep(sigma)));
    }

    /** {@code x} with what the mask keeps put back: {@code x} itself without a mask. */
    public float[] withKept(float[] x) {
        return kept == null ? x : kept.blendedInto(x);
    }

    private float[] clean(float[] x, float sigma, float timestep) {
        float in = prediction.in(sigma);
        float[] input = new float[x.length];
        for (int i = 0; i < x.length; i++) {
            input[i] = x[i] * in;
        }
        float[] output = network.predict(input, timestep, sigma).guided();
        float skip = prediction.skip(sigma);
        float out = prediction.out(sigma);
        // The network has read its input, whose array can take the result.
        float[] clean = input;
        for (int i = 0; i < x.length; i++) {
            clean[i] = skip * x[i] + out * output[i];
        }
        return clean;
    }

    /**
     * The noise in {@code x}, guided and unconditional, where {@code x} has the scale of a timestep: {@code sqrt(a)·latent +
     * sqrt(1 − a)·noise}.
     *
     * @throws KilnException {@code BAD_REQUEST} for a flow model, which has no such scale
     */
    GuidedOutput eps(float[] x, float timestep) {
        float[] input = withKept(x);
        GuidedOutput output = network.predict(input, timestep, timestep);
        return switch (prediction) {
            case EPS -> output;
            case V -> new GuidedOutput(
                    epsOfVelocity(input, timestep, output.guided()), epsOfVelocity(input, timestep, output.unconditional()));
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
