package kiln.runtime.model;

import java.util.List;
import java.util.function.Function;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.GraphBuilder;
import kiln.runtime.graph.ModelException;
import kiln.runtime.graph.PostOp;
import kiln.runtime.graph.Shape;

/**
 * CLIP's text encoder (Radford et al. 2021): causal transformer, heads of 64 channels.
 *
 * <p>Input {@code tokens} {@code [batch, 1, tokens, 1]}; output {@code context} {@code [batch, 1, tokens, width]}.
 *
 * @param activation between the two layers of a block: QuickGELU in OpenAI's encoders, GELU in OpenCLIP's
 */
public record ClipText(int width, int layers, int vocabulary, int places, PostOp.Kind activation) {
    public static final String PREFIX = "cond_stage_model.transformer.text_model.";
    private static final float EPSILON = 1e-5f;

    public static ClipText infer(Function<String, List<Integer>> shapes, PostOp.Kind activation) {
        Shapes text = new Shapes(shapes, PREFIX);
        int layers = text.count(i -> "encoder.layers." + i + ".mlp.fc1.weight");
        return new ClipText(
                text.size("final_layer_norm.weight", 0),
                layers,
                text.size("embeddings.token_embedding.weight", 0),
                text.size("embeddings.position_embedding.weight", 0),
                activation);
    }

    public int heads() {
        return Math.max(1, width / 64);
    }

    /**
     * @param clipSkip 1 = all layers, k = the output of the k-th layer from the end; the final norm is applied in any case
     */
    public Graph graph(Function<String, List<Integer>> shapes, int batch, int tokens, int clipSkip) {
        if (clipSkip < 1 || clipSkip > layers) {
            throw new ModelException("clip skip " + clipSkip + ": this text encoder has " + layers + " layers");
        }
        GraphBuilder g = new GraphBuilder(shapes, PREFIX);
        int x = g.embedding("embeddings", g.exactInput("tokens", Shape.tokens(batch, tokens, 1)));
        for (int i = 0; i <= layers - clipSkip; i++) {
            String layer = "encoder.layers." + i;
            int normed = g.layerNorm(layer + ".layer_norm1", x, EPSILON);
            int q = g.linear(layer + ".self_attn.q_proj", normed);
            int k = g.linear(layer + ".self_attn.k_proj", normed);
            int v = g.linear(layer + ".self_attn.v_proj", normed);
            int attended = g.attention(layer + ".self_attn", q, k, v, heads(), true);
            x = g.add(layer + ".self_attn.residual", x, g.linear(layer + ".self_attn.out_proj", attended));
            int inner = g.linear(layer + ".mlp.fc1", g.layerNorm(layer + ".layer_norm2", x, EPSILON));
            int active = g.activation(layer + ".mlp.act", activation, inner);
            x = g.add(layer, x, g.linear(layer + ".mlp.fc2", active));
        }
        g.output("context", g.layerNorm("final_layer_norm", x, EPSILON));
        return g.build();
    }
}
