package kiln.runtime.family.sd2;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;

/** The smallest SD 2.x checkpoint that is one: random weights, 1024 channels of text since that is what tells the family. */
final class Miniature {
    private static final int TEXT = 1024;
    private static final int CHANNELS = 64;
    private static final int EMBEDDING = 32;

    private final Map<String, int[]> shapes = new LinkedHashMap<>();

    private Miniature() {}

    static Path write(Path folder, long seed) throws IOException {
        Miniature model = new Miniature();
        model.text();
        model.unet("model.diffusion_model.");
        model.autoencoder("first_stage_model.");
        return model.save(folder.resolve("sd2.safetensors"), new Random(seed));
    }

    private void text() {
        String p = "cond_stage_model.model.";
        shapes.put(p + "token_embedding.weight", new int[] {49408, TEXT});
        shapes.put(p + "positional_embedding", new int[] {77, TEXT});
        for (int i = 0; i < 2; i++) {
            String block = p + "transformer.resblocks." + i + ".";
            parameters(block + "ln_1", TEXT);
            parameters(block + "ln_2", TEXT);
            shapes.put(block + "attn.in_proj_weight", new int[] {3 * TEXT, TEXT});
            shapes.put(block + "attn.in_proj_bias", new int[] {3 * TEXT});
            parameters(block + "attn.out_proj", TEXT, TEXT);
            parameters(block + "mlp.c_fc", 64, TEXT);
            parameters(block + "mlp.c_proj", TEXT, 64);
        }
        parameters(p + "ln_final", TEXT);
    }

    private void unet(String p) {
        parameters(p + "time_embed.0", EMBEDDING, CHANNELS);
        parameters(p + "time_embed.2", EMBEDDING, EMBEDDING);
        parameters(p + "input_blocks.0.0", CHANNELS, 4, 3, 3);
        residual(p + "input_blocks.1.0", CHANNELS);
        transformer(p + "input_blocks.1.1");
        residual(p + "middle_block.0", CHANNELS);
        transformer(p + "middle_block.1");
        residual(p + "middle_block.2", CHANNELS);
        for (int i = 0; i < 2; i++) {
            residual(p + "output_blocks." + i + ".0", 2 * CHANNELS);
            transformer(p + "output_blocks." + i + ".1");
        }
        parameters(p + "out.0", CHANNELS);
        parameters(p + "out.2", 4, CHANNELS, 3, 3);
    }

    private void residual(String block, int from) {
        parameters(block + ".in_layers.0", from);
        parameters(block + ".in_layers.2", CHANNELS, from, 3, 3);
        parameters(block + ".emb_layers.1", CHANNELS, EMBEDDING);
        parameters(block + ".out_layers.0", CHANNELS);
        parameters(block + ".out_layers.3", CHANNELS, CHANNELS, 3, 3);
        if (from != CHANNELS) {
            parameters(block + ".skip_connection", CHANNELS, from, 1, 1);
        }
    }

    private void transformer(String module) {
        parameters(module + ".norm", CHANNELS);
        parameters(module + ".proj_in", CHANNELS, CHANNELS);
        parameters(module + ".proj_out", CHANNELS, CHANNELS);
        String block = module + ".transformer_blocks.0";
        for (int i = 1; i <= 3; i++) {
            parameters(block + ".norm" + i, CHANNELS);
        }
        for (int attention = 1; attention <= 2; attention++) {
            String name = block + ".attn" + attention;
            shapes.put(name + ".to_q.weight", new int[] {CHANNELS, CHANNELS});
            shapes.put(name + ".to_k.weight", new int[] {CHANNELS, attention == 1 ? CHANNELS : TEXT});
            shapes.put(name + ".to_v.weight", new int[] {CHANNELS, attention == 1 ? CHANNELS : TEXT});
            parameters(name + ".to_out.0", CHANNELS, CHANNELS);
        }
        parameters(block + ".ff.net.0.proj", 2 * CHANNELS, CHANNELS);
        parameters(block + ".ff.net.2", CHANNELS, CHANNELS);
    }

    private void autoencoder(String p) {
        int channels = 32;
        for (String part : new String[] {"encoder", "decoder"}) {
            boolean encoder = part.equals("encoder");
            parameters(p + part + ".conv_in", channels, encoder ? 3 : 4, 3, 3);
            for (int level = 0; level < 4; level++) {
                String name = p + part + (encoder ? ".down." : ".up.") + level;
                codecResidual(name + ".block.0", channels);
                if (encoder && level < 3) {
                    parameters(name + ".downsample.conv", channels, channels, 3, 3);
                } else if (!encoder && level > 0) {
                    parameters(name + ".upsample.conv", channels, channels, 3, 3);
                }
            }
            codecResidual(p + part + ".mid.block_1", channels);
            parameters(p + part + ".mid.attn_1.norm", channels);
            for (String matrix : new String[] {"q", "k", "v", "proj_out"}) {
                parameters(p + part + ".mid.attn_1." + matrix, channels, channels, 1, 1);
            }
            codecResidual(p + part + ".mid.block_2", channels);
            parameters(p + part + ".norm_out", channels);
            parameters(p + part + ".conv_out", encoder ? 8 : 3, channels, 3, 3);
        }
        parameters(p + "quant_conv", 8, 8, 1, 1);
        parameters(p + "post_quant_conv", 4, 4, 1, 1);
    }

    private void codecResidual(String block, int channels) {
        parameters(block + ".norm1", channels);
        parameters(block + ".conv1", channels, channels, 3, 3);
        parameters(block + ".norm2", channels);
        parameters(block + ".conv2", channels, channels, 3, 3);
    }

    /** A weight and its bias. */
    private void parameters(String module, int... shape) {
        shapes.put(module + ".weight", shape);
        shapes.put(module + ".bias", new int[] {shape[0]});
    }

    private Path save(Path file, Random random) throws IOException {
        StringBuilder header = new StringBuilder("{");
        long offset = 0;
        for (Map.Entry<String, int[]> tensor : shapes.entrySet()) {
            StringBuilder sizes = new StringBuilder();
            for (int size : tensor.getValue()) {
                sizes.append(sizes.length() == 0 ? "" : ",").append(size);
            }
            long end = offset + 4L * elements(tensor.getValue());
            header.append(offset == 0 ? "" : ",").append('"').append(tensor.getKey()).append("\":{\"dtype\":\"F32\",\"shape\":[").append(sizes)
                    .append("],\"data_offsets\":[").append(offset).append(',').append(end).append("]}");
            offset = end;
        }
        byte[] head = header.append('}').toString().getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(8 + head.length + offset)).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(head.length).put(head);
        for (Map.Entry<String, int[]> tensor : shapes.entrySet()) {
            int[] shape = tensor.getValue();
            int count = elements(shape);
            // Results are about as large as inputs; norms keep them so.
            boolean scale = shape.length == 1 && tensor.getKey().endsWith(".weight");
            float deviation = shape.length == 1 ? 0.1f : (float) Math.sqrt((double) shape[0] / count);
            for (int i = 0; i < count; i++) {
                bytes.putFloat((scale ? 1 : 0) + deviation * (float) random.nextGaussian());
            }
        }
        return Files.write(file, bytes.array());
    }

    private static int elements(int[] shape) {
        int count = 1;
        for (int size : shape) {
            count *= size;
        }
        return count;
    }
}
