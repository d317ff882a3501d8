package kiln.runtime.upscale;

import java.util.List;
import java.util.function.Function;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.GraphBuilder;
import kiln.runtime.graph.ModelException;
import kiln.runtime.graph.PostOp;
import kiln.runtime.graph.Shape;

/**
 * RRDBNet (Wang et al. 2018, ESRGAN; Wang et al. 2021, Real-ESRGAN): residual blocks of densely connected convolutions at the picture's
 * size, then doublings. Its parameters have Real-ESRGAN's names; those of each dense block's last convolution come times 0.2 ({@link
 * #factor}).
 *
 * @param channels of a pixel, or of all pixels of a square that were put together into one
 * @param doublings of the sides at the end
 */
record RrdbNet(int channels, int blocks, int doublings) {
    static final String FIRST = "conv_first.weight";
    private static final int DENSE_BLOCKS = 3;
    private static final int CONVOLUTIONS = 5;
    private static final float RESIDUAL = 0.2f;

    static RrdbNet infer(Function<String, List<Integer>> shapes) {
        List<Integer> first = shapes.apply(FIRST);
        int blocks = count(i -> shapes.apply("body." + i + ".rdb1.conv1.weight") != null);
        if (first == null || first.size() != 4 || blocks == 0) {
            throw new ModelException("the network has no first convolution or no blocks");
        }
        return new RrdbNet(first.get(1), blocks, count(i -> shapes.apply("conv_up" + (i + 1) + ".weight") != null));
    }

    private static int count(Function<Integer, Boolean> there) {
        int n = 0;
        while (there.apply(n)) {
            n++;
        }
        return n;
    }

    /** What a parameter's elements are multiplied by before they are used. */
    static float factor(String name) {
        return name.startsWith("body.") && name.contains(".conv" + CONVOLUTIONS + ".") ? RESIDUAL : 1;
    }

    /** Input {@code image} {@code [1, height, width, channels]}, output {@code image} of twice the sides for each doubling. */
    Graph graph(Function<String, List<Integer>> shapes, int height, int width) {
        GraphBuilder g = new GraphBuilder(shapes, "");
        g.output("image", tail(g, body(g, g.input("image", new Shape(1, height, width, channels)))));
        return g.build();
    }

    /** Up to the sum before the doublings, output {@code features}. */
    Graph body(Function<String, List<Integer>> shapes, int height, int width) {
        GraphBuilder g = new GraphBuilder(shapes, "");
        g.output("features", body(g, g.input("image", new Shape(1, height, width, channels))));
        return g.build();
    }

    /** What follows {@link #body}: input {@code features}, output {@code image}. */
    Graph tail(Function<String, List<Integer>> shapes, int height, int width) {
        GraphBuilder g = new GraphBuilder(shapes, "");
        g.output("image", tail(g, g.input("features", new Shape(1, height, width, shapes.apply(FIRST).get(0)))));
        return g.build();
    }

    /** How far, in rows of its input, a row of {@link #tail}'s result looks. */
    int tailReach() {
        // Two convolutions at the end; before them one at each doubled size, of which two rows are one before the doubling.
        int reach = 2;
        for (int i = 0; i < doublings; i++) {
            reach = (reach + 2) / 2;
        }
        return reach;
    }

    private int body(GraphBuilder g, int image) {
        int first = g.conv3x3("conv_first", image);
        int x = first;
        for (int block = 0; block < blocks; block++) {
            String name = "body." + block;
            int y = x;
            for (int i = 1; i <= DENSE_BLOCKS; i++) {
                y = dense(g, name + ".rdb" + i, y);
            }
            x = g.add(name, g.activation(name + ".weighed", PostOp.Kind.FIFTH, y), x);
        }
        return g.add("features", g.conv3x3("conv_body", x), first);
    }

    private static int dense(GraphBuilder g, String name, int x) {
        int all = x;
        for (int i = 1; i < CONVOLUTIONS; i++) {
            String module = name + ".conv" + i;
            all = g.concat(module + ".joined", all, leaky(g, module, all));
        }
        return g.add(name, g.conv3x3(name + ".conv" + CONVOLUTIONS, all), x);
    }

    private int tail(GraphBuilder g, int features) {
        int x = features;
        for (int i = 1; i <= doublings; i++) {
            Shape from = g.shape(x);
            x = leaky(g, "conv_up" + i, g.upsample("up" + i, x, 2 * from.height(), 2 * from.width()));
        }
        return g.conv3x3("conv_last", leaky(g, "conv_hr", x));
    }

    private static int leaky(GraphBuilder g, String module, int x) {
        return g.activation(module + ".leaky", PostOp.Kind.LEAKY_RELU, g.conv3x3(module, x));
    }
}
