package kiln.runtime.model;

import java.util.List;
import java.util.function.Function;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.GraphBuilder;
import kiln.runtime.graph.Shape;

/**
 * AutoencoderKL (Rombach et al. 2022): pictures to latents of an eighth of the size and back.
 *
 * <p>Decoder: input {@code latent} {@code [batch, h, w, z]} in the networks' own scale, output {@code image}
 * {@code [batch, 8h, 8w, 3]} in −1…1. Encoder: input {@code image}, output {@code moments} {@code [batch, h, w, 2z]}, means first, then
 * log-variances (not yet clamped to −30…20).
 */
public record Autoencoder(int latentChannels, int encoderLevels, int decoderLevels) {
    public static final String PREFIX = "first_stage_model.";
    private static final float EPSILON = 1e-6f;
    private static final int GROUPS = 32;

    public static Autoencoder infer(Function<String, List<Integer>> shapes) {
        Shapes vae = new Shapes(shapes, PREFIX);
        return new Autoencoder(
                vae.size("post_quant_conv.weight", 1),
                vae.count(i -> "encoder.down." + i + ".block.0.conv1.weight"),
                vae.count(i -> "decoder.up." + i + ".block.0.conv1.weight"));
    }

    /** Pixels per latent position and side: 8 for the usual four levels. */
    public int scale() {
        return 1 << decoderLevels - 1;
    }

    public Graph decoder(Function<String, List<Integer>> shapes, int batch, int height, int width) {
        GraphBuilder g = new GraphBuilder(shapes, PREFIX);
        int x = g.linear("post_quant_conv", g.input("latent", new Shape(batch, height, width, latentChannels)));
        x = middle(g, "decoder", g.conv3x3("decoder.conv_in", x));
        for (int level = decoderLevels - 1; level >= 0; level--) {
            String up = "decoder.up." + level;
            for (int i = 0; g.has(up + ".block." + i + ".conv1.weight"); i++) {
                x = residual(g, up + ".block." + i, x);
            }
            if (level > 0) {
                Shape from = g.shape(x);
                int larger = g.upsample(up + ".upsample", x, 2 * from.height(), 2 * from.width());
                x = g.conv3x3(up + ".upsample.conv", larger);
            }
        }
        g.output("image", tail(g, "decoder", x));
        return g.build();
    }

    /** Pictures whose sides are multiples of {@link #scale()}. */
    public Graph encoder(Function<String, List<Integer>> shapes, int batch, int height, int width) {
        GraphBuilder g = new GraphBuilder(shapes, PREFIX);
        int x = g.conv3x3("encoder.conv_in", g.input("image", new Shape(batch, height, width, 3)));
        for (int level = 0; level < encoderLevels; level++) {
            String down = "encoder.down." + level;
            for (int i = 0; g.has(down + ".block." + i + ".conv1.weight"); i++) {
                x = residual(g, down + ".block." + i, x);
            }
            if (level < encoderLevels - 1) {
                // Padded to the right and below only.
                x = g.conv(down + ".downsample.conv", x, 3, 2, 0, 1);
            }
        }
        g.output("moments", g.linear("quant_conv", tail(g, "encoder", middle(g, "encoder", x))));
        return g.build();
    }

    private static int tail(GraphBuilder g, String part, int x) {
        int normed = g.groupNorm(part + ".norm_out", x, GROUPS, EPSILON);
        return g.conv3x3(part + ".conv_out", g.silu(part + ".silu", normed));
    }

    private static int middle(GraphBuilder g, String part, int input) {
        int x = residual(g, part + ".mid.block_1", input);
        String module = part + ".mid.attn_1";
        int normed = g.groupNorm(module + ".norm", x, GROUPS, EPSILON);
        int q = g.linear(module + ".q", normed);
        int k = g.linear(module + ".k", normed);
        int v = g.linear(module + ".v", normed);
        int attended = g.attention(module + ".attention", q, k, v, 1, false);
        x = g.add(module, x, g.linear(module + ".proj_out", attended));
        return residual(g, part + ".mid.block_2", x);
    }

    private static int residual(GraphBuilder g, String block, int x) {
        int skip = g.has(block + ".nin_shortcut.weight") ? g.linear(block + ".nin_shortcut", x) : x;
        int h = g.silu(block + ".silu1", g.groupNorm(block + ".norm1", x, GROUPS, EPSILON));
        h = g.conv3x3(block + ".conv1", h);
        h = g.silu(block + ".silu2", g.groupNorm(block + ".norm2", h, GROUPS, EPSILON));
        return g.add(block, skip, g.conv3x3(block + ".conv2", h));
    }
}
