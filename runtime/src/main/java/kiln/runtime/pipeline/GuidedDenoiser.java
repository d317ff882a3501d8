package kiln.runtime.pipeline;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import kiln.runtime.model.DenoiserNetwork;
import kiln.runtime.model.NetworkShape;
import kiln.runtime.sampling.GuidedNetwork;
import kiln.runtime.sampling.GuidedOutput;

/**
 * The denoiser under classifier-free guidance (Ho and Salimans 2022): out = uncond + cfgScale·(cond − uncond).
 *
 * <p>Both halves run in one batch, conditional first, where their prompts have the same length; else one after the other. A scale of 1
 * needs no unconditional half. Inpainting networks read further channels beside the latent, the same at every step.
 */
final class GuidedDenoiser implements GuidedNetwork {
    private final ModelSession session;
    private final List<NetworkShape> networks;
    private final ProgressTracker progress;
    private final Conditioning cond;
    private final Conditioning uncond;
    private final float[] furtherChannels;
    private final float cfgScale;
    private final int batch;
    private final int positions;
    private final int latentChannels;

    /**
     * @param networks of {@link PictureNetworks#denoisers}
     * @param furtherChannels {@code [height, width, inChannels − latent channels]}; {@code null} where the network has none
     */
    GuidedDenoiser(
            ModelSession session,
            List<NetworkShape> networks,
            ProgressTracker progress,
            Conditioning cond,
            Conditioning uncond,
            float[] furtherChannels,
            float cfgScale,
            int batch) {
        this.session = session;
        this.networks = List.copyOf(networks);
        this.progress = progress;
        this.cond = cond;
        this.uncond = uncond;
        this.furtherChannels = furtherChannels;
        this.cfgScale = cfgScale;
        this.batch = batch;
        positions = networks.get(0).height() * networks.get(0).width();
        latentChannels = session.model().latent().channels();
    }

    /** Work of one evaluation. */
    double flops() {
        return networks.stream().mapToDouble(network -> session.network(network).flops()).sum();
    }

    @Override
    public GuidedOutput predict(float[] input, float timestep, float level) {
        NetworkShape first = networks.get(0);
        if (first.batch() == 2 * batch) {
            float[] both = evaluate(first, input, timestep, cond, uncond);
            return combine(planar(both, 0), planar(both, batch));
        }
        float[] positive = planar(evaluate(first, input, timestep, cond, cond), 0);
        if (networks.size() == 1) {
            return GuidedOutput.of(positive);
        }
        return combine(positive, planar(evaluate(networks.get(1), input, timestep, uncond, uncond), 0));
    }

    private float[] planar(float[] output, int firstEntry) {
        return Planes.planar(output, firstEntry, batch, latentChannels, positions);
    }

    private GuidedOutput combine(float[] positive, float[] negative) {
        for (int i = 0; i < positive.length; i++) {
            positive[i] = negative[i] + cfgScale * (positive[i] - negative[i]);
        }
        return new GuidedOutput(positive, negative);
    }

    /** The first {@code batch} entries get {@code first}'s prompt, the others {@code second}'s. */
    private float[] evaluate(NetworkShape shape, float[] x, float timestep, Conditioning first, Conditioning second) {
        int entries = shape.batch();
        int channels = session.model().denoiser().inChannels();
        float[] latent = new float[entries * positions * channels];
        for (int entry = 0; entry < entries; entry += batch) {
            fillLatent(x, latent, channels, entry);
        }
        int length = first.context().length;
        float[] context = new float[entries * length];
        for (int entry = 0; entry < entries; entry++) {
            System.arraycopy(entry < batch ? first.context() : second.context(), 0, context, entry * length, length);
        }
        Map<String, float[]> inputs = new HashMap<>();
        inputs.put("latent", latent);
        inputs.put("timesteps", new float[] {timestep});
        inputs.put("context", context);
        ModelSession.Network network = session.network(shape);
        float[] output = network.run(inputs, progress).get(DenoiserNetwork.OUTPUT);
        progress.networkDone(network.flops());
        return output;
    }

    private void fillLatent(float[] x, float[] latent, int channels, int entry) {
        for (int b = 0; b < batch; b++) {
            int from = b * latentChannels * positions;
            int to = (entry + b) * positions * channels;
            for (int p = 0; p < positions; p++) {
                for (int k = 0; k < latentChannels; k++) {
                    latent[to + p * channels + k] = x[from + k * positions + p];
                }
                if (furtherChannels != null) {
                    int further = channels - latentChannels;
                    System.arraycopy(furtherChannels, p * further, latent, to + p * channels + latentChannels, further);
                }
            }
        }
    }
}
