package kiln.runtime.model;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.GraphBuilder;
import kiln.runtime.graph.ModelException;
import kiln.runtime.graph.PostOp;
import kiln.runtime.graph.Shape;

/**
 * One half of TAESD (O. Boer Bohan's tiny autoencoder): latents to pictures, or pictures to latents, roughly and fast. Latents are in the
 * scale of the sampler, pictures from 0 to 1. Layers have the numbers that they have in its file, where functions count, too.
 *
 * @param layers numbers of convolutions and blocks, ascending
 */
public record TinyAutoencoder(List<Integer> layers) {
    private static final int MOST_LAYERS = 64;
    private static final double LATENT_RANGE = 3;

    public TinyAutoencoder {
        layers = List.copyOf(layers);
    }

    /** @throws ModelException when there are no layers */
    public static TinyAutoencoder infer(Function<String, List<Integer>> shapes) {
        List<Integer> layers = new ArrayList<>();
        for (int i = 0; i < MOST_LAYERS; i++) {
            if (shapes.apply(i + ".weight") != null || isBlock(shapes, i)) {
                layers.add(i);
            }
        }
        if (layers.size() < 2 || isBlock(shapes, layers.get(0)) || isBlock(shapes, layers.get(layers.size() - 1))) {
            throw new ModelException("a tiny autoencoder begins and ends with a convolution");
        }
        return new TinyAutoencoder(layers);
    }

    private static boolean isBlock(Function<String, List<Integer>> shapes, int layer) {
        return shapes.apply(layer + ".conv.0.weight") != null;
    }

    /** Input {@code latent} {@code [1, height, width, z]}, {@link #limited}; output {@code image} of 8 times the sides. */
    public Graph decoder(Function<String, List<Integer>> shapes, int height, int width) {
        GraphBuilder g = new GraphBuilder(shapes, "");
        int x = g.input("latent", new Shape(1, height, width, inputChannels(shapes)));
        x = relu(g, "first", g.conv3x3(layers.get(0).toString(), x));
        g.output("image", rest(g, x, true));
        return g.build();
    }

    /** Input {@code image} {@code [1, height, width, 3]}, output {@code latent} of an eighth of the sides. */
    public Graph encoder(Function<String, List<Integer>> shapes, int height, int width) {
        GraphBuilder g = new GraphBuilder(shapes, "");
        int x = g.input("image", new Shape(1, height, width, inputChannels(shapes)));
        g.output("latent", rest(g, g.conv3x3(layers.get(0).toString(), x), false));
        return g.build();
    }

    private int inputChannels(Function<String, List<Integer>> shapes) {
        List<Integer> first = shapes.apply(layers.get(0) + ".weight");
        if (first.size() != 4) {
            throw new ModelException("layer " + layers.get(0) + " has the shape " + first + ": a convolution's is needed");
        }
        return first.get(1);
    }

    /** Convolutions between the first and the last one change the size. */
    private int rest(GraphBuilder g, int first, boolean doubling) {
        int x = first;
        for (int i = 1; i < layers.size(); i++) {
            String layer = layers.get(i).toString();
            Shape from = g.shape(x);
            if (g.has(layer + ".conv.0.weight")) {
                x = block(g, layer, x);
            } else if (i == layers.size() - 1) {
                x = g.conv3x3(layer, x);
            } else if (doubling) {
                x = g.conv3x3(layer, g.upsample(layer + ".doubled", x, 2 * from.height(), 2 * from.width()));
            } else {
                x = g.conv(layer, x, 3, 2, 1, 1);
            }
        }
        return x;
    }

    private static int block(GraphBuilder g, String layer, int x) {
        int skip = g.has(layer + ".skip.weight") ? g.linear(layer + ".skip", x) : x;
        int y = relu(g, layer + ".conv.1", g.conv3x3(layer + ".conv.0", x));
        y = relu(g, layer + ".conv.3", g.conv3x3(layer + ".conv.2", y));
        return relu(g, layer + ".fuse", g.add(layer, g.conv3x3(layer + ".conv.4", y), skip));
    }

    private static int relu(GraphBuilder g, String name, int x) {
        return g.activation(name, PostOp.Kind.RELU, x);
    }

    /** Latents as the decoder reads them: bent to −3…3. */
    public static float[] limited(float[] latent) {
        float[] limited = new float[latent.length];
        for (int i = 0; i < latent.length; i++) {
            limited[i] = (float) (LATENT_RANGE * Math.tanh(latent[i] / LATENT_RANGE));
        }
        return limited;
    }
}
