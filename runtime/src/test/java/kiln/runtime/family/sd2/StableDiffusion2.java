package kiln.runtime.family.sd2;

import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
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

/**
 * Stable Diffusion 2.x at 768 pixels, to show what a second family costs: OpenCLIP-H under its own names, with queries, keys and values in one
 * tensor; heads of 64 channels; velocity predicted.
 */
public final class StableDiffusion2 {
    public static final ModelFamily FAMILY =
            new ModelFamily("SD 2.x", Set.of(CheckpointKind.SD2), StableDiffusion2::names, StableDiffusion2::model, tensors -> Map.of());

    private static final String OPEN_CLIP = "cond_stage_model.model.";
    private static final Pattern BLOCK = Pattern.compile(Pattern.quote(OPEN_CLIP) + "transformer\\.resblocks\\.(\\d+)\\.(.*)\\.(\\w+)");
    private static final Map<String, String> IN_BLOCKS = Map.of(
            "ln_1", "layer_norm1", "ln_2", "layer_norm2", "mlp.c_fc", "mlp.fc1", "mlp.c_proj", "mlp.fc2", "attn.out_proj", "self_attn.out_proj");
    private static final Map<String, String> AROUND = Map.of(
            OPEN_CLIP + "token_embedding.weight", "embeddings.token_embedding.weight",
            OPEN_CLIP + "positional_embedding", "embeddings.position_embedding.weight",
            OPEN_CLIP + "ln_final.weight", "final_layer_norm.weight",
            OPEN_CLIP + "ln_final.bias", "final_layer_norm.bias");
    private static final float[][] PREVIEW = new float[5][3];

    private StableDiffusion2() {}

    private static Map<String, TensorRows> names(Collection<TensorInfo> tensors) {
        Map<String, TensorRows> names = new HashMap<>();
        for (TensorInfo tensor : tensors) {
            Matcher block = BLOCK.matcher(tensor.name());
            if (block.matches()) {
                inBlock(names, tensor, "encoder.layers." + block.group(1) + ".", block.group(2), block.group(3));
            } else if (AROUND.containsKey(tensor.name())) {
                names.put(ClipText.PREFIX + AROUND.get(tensor.name()), TensorRows.all(tensor));
            } else {
                names.put(tensor.name(), TensorRows.all(tensor));
            }
        }
        return names;
    }

    private static void inBlock(Map<String, TensorRows> names, TensorInfo tensor, String layer, String module, String parameter) {
        String prefix = ClipText.PREFIX + layer;
        if (module.equals("attn") && parameter.startsWith("in_proj_")) {
            long width = tensor.size(0) / 3;
            List<String> parts = List.of("q_proj.", "k_proj.", "v_proj.");
            for (int i = 0; i < 3; i++) {
                String name = prefix + "self_attn." + parts.get(i) + parameter.substring("in_proj_".length());
                names.put(name, new TensorRows(tensor, i * width, width));
            }
        } else {
            names.put(prefix + IN_BLOCKS.getOrDefault(module, module) + "." + parameter, TensorRows.all(tensor));
        }
    }

    private static Model model(Function<String, List<Integer>> shapes) {
        UNet unet = UNet.infer(shapes, 0);
        Autoencoder vae = Autoencoder.infer(shapes);
        ClipText text = ClipText.infer(shapes, PostOp.Kind.GELU);
        return new Model(
                List.of(new TextEncoder(
                        NetworkNames.TEXT_ENCODER,
                        text.width(),
                        text.layers() - 1,
                        TokenChunk.LENGTH,
                        // Its last layer but one is what the denoiser was trained with.
                        (batch, tokens, clipSkip) -> text.graph(shapes, batch, tokens, clipSkip + 1))),
                new DenoiserNetwork(
                        unet.inChannels(),
                        unet.contextWidth(),
                        (batch, height, width, tokens) -> unet.graph(shapes, batch, height, width, tokens, 1)),
                new LatentCodec(
                        (batch, height, width) -> vae.encoder(shapes, batch, height, width),
                        (batch, height, width) -> vae.decoder(shapes, batch, height, width)),
                new LatentFormat(vae.latentChannels(), vae.scale(), 0.18215f, 0, PREVIEW),
                Prediction.V,
                ModelSampling.sd1(),
                768);
    }
}
