package kiln.runtime.family.sd1;

import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import kiln.runtime.graph.ModelException;
import kiln.runtime.graph.PostOp;
import kiln.runtime.model.Autoencoder;
import kiln.runtime.model.ClipText;
import kiln.runtime.model.DenoiserNetwork;
import kiln.runtime.model.LatentCodec;
import kiln.runtime.model.LatentFormat;
import kiln.runtime.model.Model;
import kiln.runtime.model.ModelFamily;
import kiln.runtime.model.TensorRows;
import kiln.runtime.model.TextEncoder;
import kiln.runtime.model.UNet;
import kiln.runtime.plan.NetworkNames;
import kiln.runtime.sampling.ModelSampling;
import kiln.runtime.sampling.Prediction;
import kiln.runtime.text.TokenChunk;
import kiln.weights.CheckpointKind;
import kiln.weights.TensorInfo;

/** Stable Diffusion 1.x (Rombach et al. 2022) and its finetunes, also for inpainting: CLIP-L, a UNet with eight heads, noise predicted. */
public final class StableDiffusion1 {
    public static final ModelFamily FAMILY = new ModelFamily(
            "SD 1.x",
            Set.of(CheckpointKind.SD1, CheckpointKind.SD1_INPAINTING),
            StableDiffusion1::names,
            StableDiffusion1::model,
            AddOnModules::of);

    /** What the autoencoder's latents are multiplied by: they then have about unit variance. */
    public static final float LATENT_SCALE = 0.18215f;

    private static final int HEADS = 8;
    private static final int SIDE = 512;
    private static final String TEXT = "cond_stage_model.transformer.";

    /** The widely used factors map to −1…1; halved, with 0.5 added, they map to 0…1. */
    private static final float[][] PREVIEW = {
        {0.298f / 2, 0.207f / 2, 0.208f / 2},
        {0.187f / 2, 0.286f / 2, 0.173f / 2},
        {-0.158f / 2, 0.189f / 2, 0.264f / 2},
        {-0.184f / 2, -0.271f / 2, -0.473f / 2},
        {0.5f, 0.5f, 0.5f}
    };

    private StableDiffusion1() {}

    private static Map<String, TensorRows> names(Collection<TensorInfo> tensors) {
        Map<String, TensorRows> names = new HashMap<>();
        tensors.forEach(tensor -> names.put(originalName(tensor.name()), TensorRows.all(tensor)));
        return names;
    }

    /** Some programs left {@code text_model.} out of the text encoder's names; an autoencoder's own file has no prefix. */
    private static String originalName(String name) {
        if (name.startsWith(TEXT) && !name.startsWith(ClipText.PREFIX)) {
            String rest = name.substring(TEXT.length());
            if (rest.startsWith("embeddings.") || rest.startsWith("encoder.") || rest.startsWith("final_layer_norm.")) {
                return ClipText.PREFIX + rest;
            }
        }
        boolean codec = name.startsWith("decoder.") || name.startsWith("encoder.") || name.startsWith("quant_conv.")
                || name.startsWith("post_quant_conv.");
        return codec ? Autoencoder.PREFIX + name : name;
    }

    private static Model model(Function<String, List<Integer>> shapes) {
        UNet unet = UNet.infer(shapes, HEADS);
        Autoencoder vae = Autoencoder.infer(shapes);
        ClipText text = ClipText.infer(shapes, PostOp.Kind.QUICK_GELU);
        if (vae.latentChannels() != PREVIEW.length - 1) {
            throw new ModelException("the autoencoder's latents have " + vae.latentChannels() + " channels: SD 1.x has " + (PREVIEW.length - 1));
        }
        return new Model(
                List.of(new TextEncoder(
                        NetworkNames.TEXT_ENCODER,
                        text.width(),
                        text.layers(),
                        TokenChunk.LENGTH,
                        (batch, tokens, clipSkip) -> text.graph(shapes, batch, tokens, clipSkip))),
                new DenoiserNetwork(
                        unet.inChannels(),
                        unet.contextWidth(),
                        (batch, height, width, tokens) -> unet.graph(shapes, batch, height, width, tokens, 1)),
                new LatentCodec(
                        (batch, height, width) -> vae.encoder(shapes, batch, height, width),
                        (batch, height, width) -> vae.decoder(shapes, batch, height, width)),
                new LatentFormat(vae.latentChannels(), vae.scale(), LATENT_SCALE, 0, PREVIEW),
                Prediction.EPS,
                ModelSampling.sd1(),
                SIDE);
    }
}
