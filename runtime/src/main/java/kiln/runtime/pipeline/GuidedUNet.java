package kiln.runtime.pipeline;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleConsumer;
import kiln.runtime.sampling.GuidedNetwork;
import kiln.runtime.sampling.GuidedOutput;

/**
 * The denoiser under classifier-free guidance (Ho and Salimans 2022): out = uncond + cfgScale·(cond − uncond).
 *
 * <p>Both halves run in one batch, conditional first, where their prompts have the same length; else one after the other. A scale of 1
 * needs no unconditional half. Inpainting networks read further channels beside the latent, the same at every step.
 */
final class GuidedUNet implements GuidedNetwork {
    private static final int LATENT_CHANNELS = 4;

    private final LoadedModel model;
    private final ProgressTracker progress;
    private final Conditioning cond;
    private final Conditioning uncond;
    private final float[] furtherChannels;
    private final float cfgScale;
    private final int batch;
    private final int height;
    private final int width;

    /**
     * @param furtherChannels {@code [height, width, inChannels − 4]}; {@code null} where the network has none
     */
    GuidedUNet(
            LoadedModel model,
            ProgressTracker progress,
            Conditioning cond,
            Conditioning uncond,
            float[] furtherChannels,
            float cfgScale,
            int batch,
            int height,
            int width) {
        this.model = model;
        this.progress = progress;
        this.cond = cond;
        this.uncond = uncond;
        this.furtherChannels = furtherChannels;
        this.cfgScale = cfgScale;
        this.batch = batch;
        this.height = height;
        this.width = width;
    }

    private boolean together() {
        return guided() && cond.tokens() == uncond.tokens();
    }

    private boolean guided() {
        return cfgScale != 1;
    }

    /**
     * What an evaluation runs: one network for both halves, or one for each.
     *
     * @param height with width, in the latent
     */
    static List<LoadedModel.Network> networks(
            LoadedModel model, int tokens, int negativeTokens, float cfgScale, int batch, int height, int width) {
        if (cfgScale == 1) {
            return List.of(model.unet(batch, height, width, tokens));
        }
        if (tokens == negativeTokens) {
            return List.of(model.unet(2 * batch, height, width, tokens));
        }
        return List.of(model.unet(batch, height, width, tokens), model.unet(batch, height, width, negativeTokens));
    }

    private List<LoadedModel.Network> networks() {
        return networks(model, cond.tokens(), uncond.tokens(), cfgScale, batch, height, width);
    }

    /** Work of one evaluation. */
    double flops() {
        return networks().stream().mapToDouble(LoadedModel.Network::flops).sum();
    }

    /** Compiles what an evaluation needs. */
    void prepare(DoubleConsumer listener) {
        networks().forEach(network -> network.prepare(listener));
    }

    private LoadedModel.Network network(int entries, int tokens) {
        return model.unet(entries, height, width, tokens);
    }

    @Override
    public GuidedOutput predict(float[] x, float timestep, float level) {
        int positions = height * width;
        if (together()) {
            float[] both = evaluate(x, timestep, 2 * batch, cond, uncond);
            float[] positive = Planes.planar(both, 0, batch, LATENT_CHANNELS, positions);
            return combine(positive, Planes.planar(both, batch, batch, LATENT_CHANNELS, positions));
        }
        float[] positive = Planes.planar(evaluate(x, timestep, batch, cond, cond), 0, batch, LATENT_CHANNELS, positions);
        if (!guided()) {
            return GuidedOutput.of(positive);
        }
        float[] negative = evaluate(x, timestep, batch, uncond, uncond);
        return combine(positive, Planes.planar(negative, 0, batch, LATENT_CHANNELS, positions));
    }

    private GuidedOutput combine(float[] positive, float[] negative) {
        for (int i = 0; i < positive.length; i++) {
            positive[i] = negative[i] + cfgScale * (positive[i] - negative[i]);
        }
        return new GuidedOutput(positive, negative);
    }

    /** The first {@code batch} entries get {@code first}'s prompt, the others {@code second}'s. */
    private float[] evaluate(float[] x, float timestep, int entries, Conditioning first, Conditioning second) {
        int channels = model.sizes().unet().inChannels();
        float[] latent = new float[entries * height * width * channels];
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
        LoadedModel.Network network = network(entries, first.tokens());
        float[] eps = network.run(inputs, progress).get("eps");
        progress.networkDone(network.flops());
        return eps;
    }

    private void fillLatent(float[] x, float[] latent, int channels, int entry) {
        int positions = height * width;
        for (int b = 0; b < batch; b++) {
            int from = b * LATENT_CHANNELS * positions;
            int to = (entry + b) * positions * channels;
            for (int p = 0; p < positions; p++) {
                for (int k = 0; k < LATENT_CHANNELS; k++) {
                    latent[to + p * channels + k] = x[from + k * positions + p];
                }
                if (furtherChannels != null) {
                    int further = channels - LATENT_CHANNELS;
                    System.arraycopy(furtherChannels, p * further, latent, to + p * channels + LATENT_CHANNELS, further);
                }
            }
        }
    }
}
