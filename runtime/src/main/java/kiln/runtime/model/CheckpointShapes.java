package kiln.runtime.model;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The shapes of a checkpoint's tensors, written from its sizes under the names of the original code: what networks are planned and counted
 * from where no file is at hand.
 *
 * @param denoiser its channels, level by level
 * @param attends which of these levels have transformers
 * @param blocks of a level on the denoiser's way down, and of the encoder's; a way up has one more
 * @param inChannels of the denoiser: a latent's 4, or 9 with those of a masked picture behind them
 * @param autoencoder its channels, level by level
 * @param context width of the text encoder
 * @param layers of the text encoder
 */
public record CheckpointShapes(
        List<Integer> denoiser, List<Boolean> attends, int blocks, int inChannels, List<Integer> autoencoder, int context, int layers) {
    public static final CheckpointShapes STABLE_DIFFUSION_15 = new CheckpointShapes(
            List.of(320, 640, 1280, 1280), List.of(true, true, true, false), 2, 4, List.of(128, 256, 512, 512), 768, 12);

    public static final CheckpointShapes STABLE_DIFFUSION_15_INPAINTING = STABLE_DIFFUSION_15.withInChannels(9);

    /** The little one that draws nothing in particular. */
    public static final CheckpointShapes DEMO =
            new CheckpointShapes(List.of(64, 128, 128), List.of(false, true, true), 1, 4, List.of(32, 64, 128, 128), 64, 2);

    private static final int LATENT = 4;
    private static final int VOCABULARY = 49408;
    private static final int PLACES = 77;

    public CheckpointShapes {
        denoiser = List.copyOf(denoiser);
        attends = List.copyOf(attends);
        autoencoder = List.copyOf(autoencoder);
        if (denoiser.size() != attends.size()) {
            throw new IllegalArgumentException("transformers of " + attends.size() + " levels, channels of " + denoiser.size());
        }
    }

    private CheckpointShapes withInChannels(int channels) {
        return new CheckpointShapes(denoiser, attends, blocks, channels, autoencoder, context, layers);
    }

    /** Shapes by the tensors' names. */
    public Map<String, List<Integer>> tensors() {
        return Map.copyOf(new Writing(this).tensors());
    }

    /** One writing of all the shapes. */
    private static final class Writing {
        private final CheckpointShapes sizes;
        private final int embedding;
        private final Map<String, List<Integer>> shapes = new LinkedHashMap<>();

        Writing(CheckpointShapes sizes) {
            this.sizes = sizes;
            embedding = 4 * sizes.denoiser.get(0);
        }

        Map<String, List<Integer>> tensors() {
            unet(UNet.PREFIX);
            autoencoder(Autoencoder.PREFIX);
            textEncoder(ClipText.PREFIX);
            return shapes;
        }

        private void unet(String p) {
            int stem = sizes.denoiser.get(0);
            int levels = sizes.denoiser.size();
            linear(p + "time_embed.0", embedding, stem);
            linear(p + "time_embed.2", embedding, embedding);
            conv(p + "input_blocks.0.0", stem, sizes.inChannels, 3);
            Deque<Integer> skips = new ArrayDeque<>(List.of(stem));
            int channels = stem;
            for (int level = 0; level < levels; level++) {
                for (int i = 0; i < sizes.blocks; i++) {
                    String name = p + "input_blocks." + skips.size();
                    unetResidual(name + ".0", channels, sizes.denoiser.get(level));
                    channels = sizes.denoiser.get(level);
                    if (sizes.attends.get(level)) {
                        transformer(name + ".1", channels);
                    }
                    skips.push(channels);
                }
                if (level < levels - 1) {
                    conv(p + "input_blocks." + skips.size() + ".0.op", channels, channels, 3);
                    skips.push(channels);
                }
            }
            unetResidual(p + "middle_block.0", channels, channels);
            transformer(p + "middle_block.1", channels);
            unetResidual(p + "middle_block.2", channels, channels);
            int block = 0;
            for (int level = levels - 1; level >= 0; level--) {
                for (int i = 0; i <= sizes.blocks; i++) {
                    String name = p + "output_blocks." + block++;
                    unetResidual(name + ".0", channels + skips.pop(), sizes.denoiser.get(level));
                    channels = sizes.denoiser.get(level);
                    if (sizes.attends.get(level)) {
                        transformer(name + ".1", channels);
                    }
                    if (i == sizes.blocks && level > 0) {
                        conv(name + (sizes.attends.get(level) ? ".2" : ".1") + ".conv", channels, channels, 3);
                    }
                }
            }
            norm(p + "out.0", channels);
            conv(p + "out.2", LATENT, channels, 3);
        }

        private void unetResidual(String name, int from, int to) {
            norm(name + ".in_layers.0", from);
            conv(name + ".in_layers.2", to, from, 3);
            linear(name + ".emb_layers.1", to, embedding);
            norm(name + ".out_layers.0", to);
            conv(name + ".out_layers.3", to, to, 3);
            if (from != to) {
                conv(name + ".skip_connection", to, from, 1);
            }
        }

        private void transformer(String name, int channels) {
            norm(name + ".norm", channels);
            conv(name + ".proj_in", channels, channels, 1);
            String block = name + ".transformer_blocks.0";
            for (int attention = 1; attention <= 2; attention++) {
                String module = block + ".attn" + attention;
                int source = attention == 1 ? channels : sizes.context;
                matrix(module + ".to_q", channels, channels);
                matrix(module + ".to_k", channels, source);
                matrix(module + ".to_v", channels, source);
                linear(module + ".to_out.0", channels, channels);
            }
            for (int i = 1; i <= 3; i++) {
                norm(block + ".norm" + i, channels);
            }
            linear(block + ".ff.net.0.proj", 8 * channels, channels);
            linear(block + ".ff.net.2", channels, 4 * channels);
            conv(name + ".proj_out", channels, channels, 1);
        }

        private void autoencoder(String p) {
            List<Integer> channels = sizes.autoencoder;
            int levels = channels.size();
            int widest = channels.get(levels - 1);
            conv(p + "encoder.conv_in", channels.get(0), 3, 3);
            int from = channels.get(0);
            for (int level = 0; level < levels; level++) {
                for (int block = 0; block < sizes.blocks; block++) {
                    vaeResidual(p + "encoder.down." + level + ".block." + block, from, channels.get(level));
                    from = channels.get(level);
                }
                if (level < levels - 1) {
                    conv(p + "encoder.down." + level + ".downsample.conv", from, from, 3);
                }
            }
            vaeMiddle(p + "encoder", widest, widest, 2 * LATENT);
            conv(p + "quant_conv", 2 * LATENT, 2 * LATENT, 1);
            conv(p + "post_quant_conv", LATENT, LATENT, 1);
            conv(p + "decoder.conv_in", widest, LATENT, 3);
            from = widest;
            for (int level = levels - 1; level >= 0; level--) {
                for (int block = 0; block <= sizes.blocks; block++) {
                    vaeResidual(p + "decoder.up." + level + ".block." + block, from, channels.get(level));
                    from = channels.get(level);
                }
                if (level > 0) {
                    conv(p + "decoder.up." + level + ".upsample.conv", from, from, 3);
                }
            }
            vaeMiddle(p + "decoder", widest, channels.get(0), 3);
        }

        /** The middle and the last layers, which read {@code last} channels and end with {@code outputs}. */
        private void vaeMiddle(String part, int widest, int last, int outputs) {
            vaeResidual(part + ".mid.block_1", widest, widest);
            norm(part + ".mid.attn_1.norm", widest);
            for (String layer : List.of("q", "k", "v", "proj_out")) {
                conv(part + ".mid.attn_1." + layer, widest, widest, 1);
            }
            vaeResidual(part + ".mid.block_2", widest, widest);
            norm(part + ".norm_out", last);
            conv(part + ".conv_out", outputs, last, 3);
        }

        private void vaeResidual(String name, int from, int to) {
            norm(name + ".norm1", from);
            conv(name + ".conv1", to, from, 3);
            norm(name + ".norm2", to);
            conv(name + ".conv2", to, to, 3);
            if (from != to) {
                conv(name + ".nin_shortcut", to, from, 1);
            }
        }

        private void textEncoder(String p) {
            matrix(p + "embeddings.token_embedding", VOCABULARY, sizes.context);
            matrix(p + "embeddings.position_embedding", PLACES, sizes.context);
            for (int layer = 0; layer < sizes.layers; layer++) {
                String name = p + "encoder.layers." + layer;
                norm(name + ".layer_norm1", sizes.context);
                for (String projection : List.of("q_proj", "k_proj", "v_proj", "out_proj")) {
                    linear(name + ".self_attn." + projection, sizes.context, sizes.context);
                }
                norm(name + ".layer_norm2", sizes.context);
                linear(name + ".mlp.fc1", 4 * sizes.context, sizes.context);
                linear(name + ".mlp.fc2", sizes.context, 4 * sizes.context);
            }
            norm(p + "final_layer_norm", sizes.context);
        }

        private void conv(String name, int to, int from, int kernel) {
            shapes.put(name + ".weight", List.of(to, from, kernel, kernel));
            shapes.put(name + ".bias", List.of(to));
        }

        private void linear(String name, int to, int from) {
            matrix(name, to, from);
            shapes.put(name + ".bias", List.of(to));
        }

        private void matrix(String name, int rows, int columns) {
            shapes.put(name + ".weight", List.of(rows, columns));
        }

        private void norm(String name, int channels) {
            shapes.put(name + ".weight", List.of(channels));
            shapes.put(name + ".bias", List.of(channels));
        }
    }
}
