package kiln.runtime.pipeline;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import kiln.runtime.model.DenoiserNetwork;
import kiln.runtime.model.NetworkShape;
import kiln.runtime.sampling.GuidedNetwork;
import kiln.runtime.sampling.GuidedOutput;

/**
 * The denoiser under classifier-free guidance (Ho and Salimans 2022; Liu et al. 2022 for prompts of several parts): out =
 * uncond + cfgScale·Σ weight·(part − uncond).
 *
 * <p>Both halves run in one batch, conditional first, where their prompts have the same length; else one after the other. A single part with
 * a scale of 1 needs no unconditional half. Inpainting networks read further channels beside the latent, the same at every step.
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
    private int call;

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

    /** Calls are counted, for prompts that change on the way: an object serves one run of a sampler. */
    @Override
    public GuidedOutput predict(float[] input, float timestep, float level) {
        List<float[]> contexts = new ArrayList<>();
        cond.parts().forEach(part -> contexts.add(part.at(call)));
        float[] negative = uncond.parts().get(0).at(call);
        call++;
        int parts = contexts.size();
        NetworkShape first = networks.get(0);
        if (first.batch() == (parts + 1) * batch) {
            contexts.add(negative);
            float[] output = evaluate(first, input, timestep, contexts);
            return combine(output, planar(output, parts));
        }
        float[] output = evaluate(first, input, timestep, contexts);
        if (networks.size() == 1) {
            return GuidedOutput.of(planar(output, 0));
        }
        return combine(output, planar(evaluate(networks.get(1), input, timestep, List.of(negative)), 0));
    }

    private float[] planar(float[] output, int part) {
        return Planes.planar(output, part * batch, batch, latentChannels, positions);
    }

    /** uncond + cfgScale·Σ weight·(part − uncond). */
    private GuidedOutput combine(float[] output, float[] negative) {
        float[] guided = negative.clone();
        for (int part = 0; part < cond.parts().size(); part++) {
            float scale = (float) (cond.parts().get(part).weight() * cfgScale);
            float[] positive = planar(output, part);
            for (int i = 0; i < guided.length; i++) {
                guided[i] += scale * (positive[i] - negative[i]);
            }
        }
        return new GuidedOutput(guided, negative);
    }

    /** Each context's entries are the whole batch. */
    private float[] evaluate(NetworkShape shape, float[] x, float timestep, List<float[]> contexts) {
        int entries = shape.batch();
        int channels = session.model().denoiser().inChannels();
        float[] latent = new float[entries * positions * channels];
        for (int entry = 0; entry < entries; entry += batch) {
            fillLatent(x, latent, channels, entry);
        }
        int length = contexts.get(0).length;
        float[] context = new float[entries * length];
        for (int entry = 0; entry < entries; entry++) {
            System.arraycopy(contexts.get(entry / batch), 0, context, entry * length, length);
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
