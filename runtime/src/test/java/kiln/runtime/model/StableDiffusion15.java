package kiln.runtime.model;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The shapes of Stable Diffusion 1.5's tensors, under the names of the original code: 860 million parameters of which none is needed. */
public final class StableDiffusion15 {
    private static final int CONTEXT = 768;
    private static final int EMBEDDING = 1280;
    private static final int[] CHANNELS = {320, 640, 1280, 1280};

    private final Map<String, List<Integer>> shapes = new LinkedHashMap<>();

    private StableDiffusion15() {}

    public static Map<String, List<Integer>> shapes() {
        StableDiffusion15 model = new StableDiffusion15();
        model.unet(UNet.PREFIX);
        model.autoencoder(Autoencoder.PREFIX);
        model.textEncoder(ClipText.PREFIX);
        return Map.copyOf(model.shapes);
    }

    private void unet(String p) {
        linear(p + "time_embed.0", EMBEDDING, 320);
        linear(p + "time_embed.2", EMBEDDING, EMBEDDING);
        conv(p + "input_blocks.0.0", 320, 4, 3);
        int channels = 320;
        int[] skips = new int[12];
        skips[0] = channels;
        for (int block = 1; block < 12; block++) {
            int level = block / 3;
            String name = p + "input_blocks." + block;
            if (block % 3 == 0) {
                conv(name + ".0.op", channels, channels, 3);
            } else {
                unetResidual(name + ".0", channels, CHANNELS[(block - 1) / 3]);
                channels = CHANNELS[(block - 1) / 3];
                if (level < 3) {
                    transformer(name + ".1", channels);
                }
            }
            skips[block] = channels;
        }
        unetResidual(p + "middle_block.0", channels, channels);
        transformer(p + "middle_block.1", channels);
        unetResidual(p + "middle_block.2", channels, channels);
        for (int block = 0; block < 12; block++) {
            int level = 3 - block / 3;
            String name = p + "output_blocks." + block;
            unetResidual(name + ".0", channels + skips[11 - block], CHANNELS[level]);
            channels = CHANNELS[level];
            if (level < 3) {
                transformer(name + ".1", channels);
            }
            if (block % 3 == 2 && level > 0) {
                conv(name + (level == 3 ? ".1" : ".2") + ".conv", channels, channels, 3);
            }
        }
        norm(p + "out.0", channels);
        conv(p + "out.2", 4, channels, 3);
    }

    private void unetResidual(String name, int from, int to) {
        norm(name + ".in_layers.0", from);
        conv(name + ".in_layers.2", to, from, 3);
        linear(name + ".emb_layers.1", to, EMBEDDING);
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
            int source = attention == 1 ? channels : CONTEXT;
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
        int[] channels = {128, 256, 512, 512};
        conv(p + "encoder.conv_in", 128, 3, 3);
        int from = 128;
        for (int level = 0; level < 4; level++) {
            for (int block = 0; block < 2; block++) {
                vaeResidual(p + "encoder.down." + level + ".block." + block, from, channels[level]);
                from = channels[level];
            }
            if (level < 3) {
                conv(p + "encoder.down." + level + ".downsample.conv", from, from, 3);
            }
        }
        vaeMiddle(p + "encoder", 8);
        conv(p + "quant_conv", 8, 8, 1);
        conv(p + "post_quant_conv", 4, 4, 1);
        conv(p + "decoder.conv_in", 512, 4, 3);
        from = 512;
        for (int level = 3; level >= 0; level--) {
            for (int block = 0; block < 3; block++) {
                vaeResidual(p + "decoder.up." + level + ".block." + block, from, channels[level]);
                from = channels[level];
            }
            if (level > 0) {
                conv(p + "decoder.up." + level + ".upsample.conv", from, from, 3);
            }
        }
        vaeMiddle(p + "decoder", 3);
    }

    /** The middle and the last layers, which end with {@code outputs} channels. */
    private void vaeMiddle(String part, int outputs) {
        vaeResidual(part + ".mid.block_1", 512, 512);
        norm(part + ".mid.attn_1.norm", 512);
        for (String layer : List.of("q", "k", "v", "proj_out")) {
            conv(part + ".mid.attn_1." + layer, 512, 512, 1);
        }
        vaeResidual(part + ".mid.block_2", 512, 512);
        int channels = part.endsWith("encoder") ? 512 : 128;
        norm(part + ".norm_out", channels);
        conv(part + ".conv_out", outputs, channels, 3);
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
        matrix(p + "embeddings.token_embedding", 49408, CONTEXT);
        matrix(p + "embeddings.position_embedding", 77, CONTEXT);
        for (int layer = 0; layer < 12; layer++) {
            String name = p + "encoder.layers." + layer;
            norm(name + ".layer_norm1", CONTEXT);
            for (String projection : List.of("q_proj", "k_proj", "v_proj", "out_proj")) {
                linear(name + ".self_attn." + projection, CONTEXT, CONTEXT);
            }
            norm(name + ".layer_norm2", CONTEXT);
            linear(name + ".mlp.fc1", 4 * CONTEXT, CONTEXT);
            linear(name + ".mlp.fc2", CONTEXT, 4 * CONTEXT);
        }
        norm(p + "final_layer_norm", CONTEXT);
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
