package kiln.runtime.model;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.function.Function;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.GraphBuilder;
import kiln.runtime.graph.ModelException;
import kiln.runtime.graph.Shape;

/**
 * The denoiser of latent diffusion (Rombach et al. 2022): residual blocks and transformers in levels, with skips from the way down to
 * the way up.
 *
 * <p>Inputs {@code latent} {@code [batch, height, width, inChannels]}, {@code timesteps} {@code [batch or 1, 1, 1, 1]}, {@code context}
 * {@code [batch, 1, tokens, contextWidth]}; output {@code eps} {@code [batch, height, width, outChannels]}.
 *
 * @param inputBlocks blocks on the way down, the stem included
 * @param heads attention heads at every level; 0 means heads of 64 channels
 */
public record UNet(
        int modelChannels, int inChannels, int outChannels, int contextWidth, int inputBlocks, int outputBlocks, int heads) {
    public static final String PREFIX = "model.diffusion_model.";
    private static final float EPSILON = 1e-5f;
    private static final float TRANSFORMER_EPSILON = 1e-6f;
    private static final int GROUPS = 32;
    private static final int HEAD_SIZE = 64;

    public static UNet infer(Function<String, List<Integer>> shapes, int heads) {
        Shapes unet = new Shapes(shapes, PREFIX);
        int modelChannels = unet.size("input_blocks.0.0.weight", 0);
        int blocks = 1 + unet.count(i -> isDownsample(unet, i + 1)
                ? "input_blocks." + (i + 1) + ".0.op.weight"
                : "input_blocks." + (i + 1) + ".0.in_layers.0.weight");
        int outputBlocks = unet.count(i -> "output_blocks." + i + ".0.in_layers.0.weight");
        int contextWidth = unet.size("middle_block.1.transformer_blocks.0.attn2.to_k.weight", 1);
        return new UNet(
                modelChannels,
                unet.size("input_blocks.0.0.weight", 1),
                unet.size("out.2.weight", 0),
                contextWidth,
                blocks,
                outputBlocks,
                heads);
    }

    private static boolean isDownsample(Shapes unet, int block) {
        return unet.has("input_blocks." + block + ".0.op.weight");
    }

    /**
     * @param timesteps 1 when one timestep serves the whole batch, else {@code batch}
     */
    public Graph graph(Function<String, List<Integer>> shapes, int batch, int height, int width, int tokens, int timesteps) {
        Builder b = new Builder(new GraphBuilder(shapes, PREFIX), this);
        return b.build(batch, height, width, tokens, timesteps);
    }

    /** One building of the graph; holds what all blocks read. */
    private static final class Builder {
        private final GraphBuilder g;
        private final UNet sizes;
        private int embedding;
        private int context;

        Builder(GraphBuilder g, UNet sizes) {
            this.g = g;
            this.sizes = sizes;
        }

        Graph build(int batch, int height, int width, int tokens, int timestepCount) {
            int x = g.input("latent", new Shape(batch, height, width, sizes.inChannels));
            int timesteps = g.exactInput("timesteps", new Shape(timestepCount, 1, 1, 1));
            context = g.input("context", Shape.tokens(batch, tokens, sizes.contextWidth));
            int sinusoids = g.timestepEmbedding("time_embed", timesteps, sizes.modelChannels);
            int inner = g.silu("time_embed.1", g.linear("time_embed.0", sinusoids));
            // Every residual block applies SiLU to the embedding first: done once here.
            embedding = g.silu("time_embed.silu", g.linear("time_embed.2", inner));

            Deque<Integer> skips = new ArrayDeque<>();
            x = g.conv3x3("input_blocks.0.0", x);
            skips.push(x);
            for (int i = 1; i < sizes.inputBlocks; i++) {
                String block = "input_blocks." + i;
                x = g.has(block + ".0.op.weight") ? g.conv(block + ".0.op", x, 3, 2, 1, 1) : layers(block, x);
                skips.push(x);
            }
            x = residual("middle_block.0", x);
            x = transformer("middle_block.1", x);
            x = residual("middle_block.2", x);
            for (int i = 0; i < sizes.outputBlocks; i++) {
                if (skips.isEmpty()) {
                    throw new ModelException(PREFIX + "output_blocks." + i + " has no input block to join");
                }
                int skip = skips.pop();
                Shape to = g.shape(skip);
                if (g.shape(x).height() != to.height() || g.shape(x).width() != to.width()) {
                    // Sides that are multiples of 8 but not of 64 do not halve evenly: resized to the skip's size, as A1111 does.
                    x = g.upsample("output_blocks." + i + ".resize", x, to.height(), to.width());
                }
                x = layers("output_blocks." + i, g.concat("output_blocks." + i + ".concat", x, skip));
            }
            int normed = g.silu("out.1", g.groupNorm("out.0", x, GROUPS, EPSILON));
            g.output("eps", g.conv3x3("out.2", normed));
            return g.build();
        }

        /** A residual block, then whatever stands behind it: a transformer, an upsampling convolution. */
        private int layers(String block, int input) {
            int x = residual(block + ".0", input);
            for (int j = 1; g.has(block + "." + j + ".proj_in.weight") || g.has(block + "." + j + ".conv.weight"); j++) {
                String layer = block + "." + j;
                if (g.has(layer + ".proj_in.weight")) {
                    x = transformer(layer, x);
                } else {
                    Shape from = g.shape(x);
                    int larger = g.upsample(layer, x, 2 * from.height(), 2 * from.width());
                    x = g.conv3x3(layer + ".conv", larger);
                }
            }
            return x;
        }

        private int residual(String block, int x) {
            int perChannel = g.linear(block + ".emb_layers.1", embedding);
            int skip = g.has(block + ".skip_connection.weight") ? g.linear(block + ".skip_connection", x) : x;
            int h = g.silu(block + ".in_layers.1", g.groupNorm(block + ".in_layers.0", x, GROUPS, EPSILON));
            h = g.addPerChannel(block + ".in_layers", g.conv3x3(block + ".in_layers.2", h), perChannel);
            h = g.silu(block + ".out_layers.1", g.groupNorm(block + ".out_layers.0", h, GROUPS, EPSILON));
            return g.add(block, skip, g.conv3x3(block + ".out_layers.3", h));
        }

        /** SpatialTransformer: self-attention, cross-attention to the context and a gated feed-forward layer, {@code depth} times. */
        private int transformer(String module, int x) {
            int channels = g.shape(x).channels();
            int heads = sizes.heads > 0 ? sizes.heads : Math.max(1, channels / HEAD_SIZE);
            int y = g.linear(module + ".proj_in", g.groupNorm(module + ".norm", x, GROUPS, TRANSFORMER_EPSILON));
            for (int i = 0; g.has(module + ".transformer_blocks." + i + ".attn1.to_q.weight"); i++) {
                String block = module + ".transformer_blocks." + i;
                int normed = g.layerNorm(block + ".norm1", y, EPSILON);
                y = g.add(block + ".attn1.residual", y, attention(block + ".attn1", normed, normed, heads));
                normed = g.layerNorm(block + ".norm2", y, EPSILON);
                y = g.add(block + ".attn2.residual", y, attention(block + ".attn2", normed, context, heads));
                int gated = g.geglu(block + ".ff.net.0.proj", g.layerNorm(block + ".norm3", y, EPSILON));
                y = g.add(block, y, g.linear(block + ".ff.net.2", gated));
            }
            return g.add(module, x, g.linear(module + ".proj_out", y));
        }

        private int attention(String module, int x, int source, int heads) {
            int q = g.linear(module + ".to_q", x);
            int k = g.linear(module + ".to_k", source);
            int v = g.linear(module + ".to_v", source);
            return g.linear(module + ".to_out.0", g.attention(module, q, k, v, heads, false));
        }
    }
}
