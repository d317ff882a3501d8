package kiln.runtime.graph;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Writes a network down, node by node. Methods give the new node's index; weights are looked up by module name, so that a missing or
 * misshapen tensor is told before anything is computed.
 */
public final class GraphBuilder {
    private final Function<String, List<Integer>> shapes;
    private final String prefix;
    private final List<Node> nodes = new ArrayList<>();
    private final Map<String, Integer> inputs = new LinkedHashMap<>();
    private final Map<String, Integer> outputs = new LinkedHashMap<>();

    /**
     * @param shapes the checkpoint's shapes by full tensor name; {@code null} where there is no such tensor
     * @param prefix what stands before every module name in the checkpoint
     */
    public GraphBuilder(Function<String, List<Integer>> shapes, String prefix) {
        this.shapes = shapes;
        this.prefix = prefix;
    }

    public Graph build() {
        return new Graph(nodes, inputs, outputs);
    }

    public Shape shape(int node) {
        return nodes.get(node).shape();
    }

    public boolean has(String tensor) {
        return shapes.apply(prefix + tensor) != null;
    }

    public int input(String name, Shape shape) {
        return input(name, shape, false);
    }

    /** An input that stays 32-bit: ids and timesteps. */
    public int exactInput(String name, Shape shape) {
        return input(name, shape, true);
    }

    private int input(String name, Shape shape, boolean exact) {
        int node = add(name, new Op.Input(shape, exact));
        inputs.put(name, node);
        return node;
    }

    public void output(String name, int node) {
        outputs.put(name, node);
    }

    public int conv(String module, int x, int kernel, int stride, int padBefore, int padAfter) {
        Weight weight = weight(module + ".weight", -1, shape(x).channels(), kernel, kernel);
        Weight bias = weight(module + ".bias", weight.rows());
        return add(module, new Op.Conv2d(kernel, stride, padBefore, padAfter, false), List.of(x), List.of(weight, bias));
    }

    /** A 3×3 convolution that keeps the size. */
    public int conv3x3(String module, int x) {
        return conv(module, x, 3, 1, 1, 1);
    }

    /** A linear layer or a 1×1 convolution, which is the same on channels-last data; the bias is used where the checkpoint has one. */
    public int linear(String module, int x) {
        int channels = shape(x).channels();
        List<Integer> found = shapes.apply(prefix + module + ".weight");
        boolean convolution = found != null && found.size() == 4;
        Weight weight = convolution ? weight(module + ".weight", -1, channels, 1, 1) : weight(module + ".weight", -1, channels);
        List<Weight> weights = has(module + ".bias") ? List.of(weight, weight(module + ".bias", weight.rows())) : List.of(weight);
        return add(module, new Op.Linear(), List.of(x), weights);
    }

    public int geglu(String module, int x) {
        Weight weight = weight(module + ".weight", -1, shape(x).channels());
        Weight bias = weight(module + ".bias", weight.rows());
        return add(module, new Op.LinearGeglu(), List.of(x), List.of(weight, bias));
    }

    public int groupNorm(String module, int x, int groups, float epsilon) {
        return add(module, new Op.GroupNorm(groups, epsilon), List.of(x), scaleAndShift(module, shape(x).channels()));
    }

    public int layerNorm(String module, int x, float epsilon) {
        return add(module, new Op.LayerNorm(epsilon), List.of(x), scaleAndShift(module, shape(x).channels()));
    }

    private List<Weight> scaleAndShift(String module, int channels) {
        return List.of(weight(module + ".weight", channels), weight(module + ".bias", channels));
    }

    public int attention(String module, int q, int k, int v, int heads, boolean causal) {
        int channels = shape(q).channels();
        if (channels % heads != 0 || shape(k).channels() != channels || shape(v).channels() != channels) {
            throw new ModelException(prefix + module + ": " + channels + " channels do not fit " + heads + " heads and the keys");
        }
        return add(module, new Op.Attention(heads, channels / heads, causal, 0, 0, 0), q, k, v);
    }

    public int activation(String module, PostOp.Kind kind, int x) {
        return add(module, new Op.Activation(kind), x);
    }

    public int silu(String module, int x) {
        return activation(module, PostOp.Kind.SILU, x);
    }

    public int prelu(String module, int x) {
        return add(module, new Op.Prelu(), List.of(x), List.of(weight(module + ".weight", shape(x).channels())));
    }

    public int add(String module, int a, int b) {
        return add(module, new Op.Add(), a, b);
    }

    public int addPerChannel(String module, int x, int perChannel) {
        return add(module, new Op.AddPerChannel(), x, perChannel);
    }

    public int concat(String module, int a, int b) {
        return add(module, new Op.Concat(), a, b);
    }

    public int upsample(String module, int x, int height, int width) {
        return add(module, new Op.UpsampleNearest(height, width), x);
    }

    public int wrapAround(String module, int x, int width) {
        return add(module, new Op.WrapAround(width), x);
    }

    /** Token and place embeddings; ids {@code [batch, 1, tokens, 1]}. */
    public int embedding(String module, int ids) {
        Weight table = weight(module + ".token_embedding.weight", -1, -1);
        int channels = table.shape().get(1);
        Weight places = weight(module + ".position_embedding.weight", -1, channels);
        return add(module, new Op.Embedding(), List.of(ids), List.of(table, places));
    }

    /** Timesteps {@code [batch, 1, 1, 1]} to {@code [batch, 1, 1, channels]}. */
    public int timestepEmbedding(String module, int timesteps, int channels) {
        return add(module, new Op.TimestepEmbedding(channels), timesteps);
    }

    private int add(String module, Op op, Integer... from) {
        return add(module, op, List.of(from), List.of());
    }

    private int add(String module, Op op, List<Integer> from, List<Weight> weights) {
        try {
            Shape shape = op.result(from.stream().map(this::shape).toList(), weights);
            nodes.add(new Node(module, op, from, weights, List.of(), shape));
        } catch (IllegalArgumentException e) {
            throw new ModelException(prefix + module + ": " + e.getMessage());
        }
        return nodes.size() - 1;
    }

    /** A tensor of the given shape; −1 takes what is there. */
    private Weight weight(String name, int... wanted) {
        List<Integer> found = shapes.apply(prefix + name);
        if (found == null) {
            throw new ModelException("tensor " + prefix + name + " is missing");
        }
        boolean fits = found.size() == wanted.length;
        for (int i = 0; fits && i < wanted.length; i++) {
            fits = wanted[i] < 0 ? found.get(i) > 0 : found.get(i) == wanted[i];
        }
        if (!fits) {
            String needed = java.util.Arrays.toString(wanted).replace("-1", "any");
            throw new ModelException("tensor " + prefix + name + " has the shape " + found + ": " + needed + " is needed");
        }
        return new Weight(List.of(prefix + name), found);
    }
}
