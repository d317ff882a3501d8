package kiln.runtime.upscale;

import java.util.List;
import java.util.function.Function;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.GraphBuilder;
import kiln.runtime.graph.ModelException;
import kiln.runtime.graph.Shape;

/**
 * SRVGGNetCompact (Wang et al. 2021, Real-ESRGAN's small networks): convolutions with PReLU at the picture's size; the last one's channels
 * are the pixels of a square, which are added to the picture itself.
 *
 * @param last number of the last convolution
 * @param scale side of that square
 */
record CompactNet(int last, int scale) {
    private static final int COLOURS = 3;

    static CompactNet infer(Function<String, List<Integer>> shapes) {
        int last = 0;
        while (shapes.apply("body." + (last + 2) + ".weight") != null) {
            last += 2;
        }
        List<Integer> shape = shapes.apply("body." + last + ".weight");
        int scale = shape == null || shape.size() != 4 ? 0 : (int) Math.sqrt(shape.get(0) / COLOURS);
        if (last < 2 || scale < 1 || scale * scale * COLOURS != shape.get(0)) {
            throw new ModelException("the last convolution has the shape " + shape + ": its channels are no square of pixels");
        }
        return new CompactNet(last, scale);
    }

    /** Input {@code image} {@code [1, height, width, 3]}, output {@code image} {@code [1, height, width, 3·scale²]}. */
    Graph graph(Function<String, List<Integer>> shapes, int height, int width) {
        GraphBuilder g = new GraphBuilder(shapes, "");
        int x = g.input("image", new Shape(1, height, width, COLOURS));
        for (int i = 0; i < last; i += 2) {
            x = g.prelu("body." + (i + 1), g.conv3x3("body." + i, x));
        }
        g.output("image", g.conv3x3("body." + last, x));
        return g.build();
    }
}
