package kiln.runtime.pipeline;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import kiln.runtime.model.DenoiserNetwork;
import kiln.runtime.model.NetworkShape;
import kiln.runtime.sampling.Guidance;
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
    private final GuidedShapes shapes;
    private final ProgressTracker progress;
    private final Conditioning cond;
    private final Conditioning uncond;
    private final float[] furtherChannels;
    private final float cfgScale;
    private final Guidance guidance;
    private final int expectedCalls;
    private final int batch;
    private final int positions;
    private final int latentChannels;
    private int call;

    /**
     * @param pass what is denoised; its prompts are encoded in {@code cond} and {@code uncond}
     * @param furtherChannels {@code [height, width, inChannels − latent channels]}; {@code null} where the network has none
     */
    GuidedDenoiser(
            ModelSession session,
            PassPlan pass,
            GuidedShapes shapes,
            ProgressTracker progress,
            Conditioning cond,
            Conditioning uncond,
            float[] furtherChannels,
            Guidance guidance,
            int batch) {
        this.session = session;
        this.shapes = shapes;
        this.progress = progress;
        this.cond = cond;
        this.uncond = uncond;
        this.furtherChannels = furtherChannels;
        this.guidance = guidance;
        cfgScale = pass.cfgScale();
        expectedCalls = pass.sampling().expectedCalls();
        this.batch = batch;
        positions = pass.latent().height() * pass.latent().width();
        latentChannels = session.model().latent().channels();
    }

    /** Calls are counted, for prompts that change on the way: an object serves one run of a sampler. */
    @Override
    public GuidedOutput predict(float[] input, float timestep, float level) {
        List<float[]> contexts = new ArrayList<>();
        cond.parts().forEach(part -> contexts.add(part.at(call)));
        float[] negative = uncond.parts().get(0).at(call);
        boolean skips = !guidance.needsUnconditional(call, expectedCalls, level);
        call++;
        boolean guided = shapes.both() != null || shapes.unconditional() != null;
        if (guided && !skips && shapes.both() != null) {
            contexts.add(negative);
            float[] output = evaluate(shapes.both(), input, timestep, contexts);
            return combine(output, planar(output, contexts.size() - 1), cfgScale);
        }
        float[] output = evaluate(shapes.conditional(), input, timestep, contexts);
        if (!guided) {
            return GuidedOutput.of(planar(output, 0));
        }
        if (skips) {
            // As in A1111 the first part stands in for the half that is missing, and the scale is 1.
            return combine(output, planar(output, 0), 1);
        }
        return combine(output, planar(evaluate(shapes.unconditional(), input, timestep, List.of(negative)), 0), cfgScale);
    }

    private float[] planar(float[] output, int part) {
        return Planes.planar(output, part * batch, batch, latentChannels, positions);
    }

    /** uncond + cfgScale·Σ weight·(part − uncond). */
    private GuidedOutput combine(float[] output, float[] negative, float cfgScale) {
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
