package kiln.runtime.exec.cuda.program;

import java.util.List;
import kiln.kernels.op.element.CopyRows;
import kiln.kernels.op.element.Elementwise;
import kiln.kernels.op.element.Elementwise.Function;
import kiln.kernels.op.element.Embedding;
import kiln.kernels.op.element.TimestepEmbedding;
import kiln.kernels.op.element.UpsampleNearest;
import kiln.runtime.graph.Node;
import kiln.runtime.graph.Op;
import kiln.runtime.graph.PostOp;
import kiln.runtime.graph.Shape;

/** What works element by element, and tables. */
final class ElementLowering {
    private static final int VECTOR = 4;

    private ElementLowering() {}

    /** How many neighbours one load takes where all of these are counts or distances of elements. */
    static int width(int... sizes) {
        for (int size : sizes) {
            if (size % VECTOR != 0) {
                return 1;
            }
        }
        return VECTOR;
    }

    static void activation(ProgramBuilder p, int index, PostOp.Kind kind) {
        apply(p, index, kind, p.result(p.graph.node(index).inputs().get(0)));
        postOps(p, index, 0);
    }

    static void prelu(ProgramBuilder p, int index) {
        Node node = p.graph.node(index);
        int channels = node.shape().channels();
        int count = count(p, index);
        long slopes = p.weight(new DeviceWeight(node.weights().get(0), DeviceWeight.Layout.PLAIN, p.type()));
        p.add(new Elementwise(Function.PRELU, p.type(), width(channels))
                .perChannel(p.result(node.inputs().get(0)), slopes, p.result(index), count, channels, count));
        postOps(p, index, 0);
    }

    static void add(ProgramBuilder p, int index) {
        List<Integer> inputs = p.graph.node(index).inputs();
        addTo(p, index, p.result(inputs.get(0)), inputs.get(1));
        postOps(p, index, 0);
    }

    static void addPerChannel(ProgramBuilder p, int index) {
        List<Integer> inputs = p.graph.node(index).inputs();
        addPerChannelTo(p, index, p.result(inputs.get(0)), inputs.get(1));
        postOps(p, index, 0);
    }

    /** The node's post-ops from the given one on, each in a launch of its own, in place. */
    static void postOps(ProgramBuilder p, int index, int from) {
        List<PostOp> all = p.graph.node(index).postOps();
        for (PostOp postOp : all.subList(from, all.size())) {
            switch (postOp.kind()) {
                case ADD -> addTo(p, index, p.result(index), postOp.input());
                case ADD_PER_CHANNEL -> addPerChannelTo(p, index, p.result(index), postOp.input());
                default -> apply(p, index, postOp.kind(), p.result(index));
            }
        }
    }

    private static void apply(ProgramBuilder p, int index, PostOp.Kind kind, long source) {
        int count = count(p, index);
        p.add(new Elementwise(Function.valueOf(kind.name()), p.type(), width(count)).activation(source, p.result(index), count));
    }

    private static void addTo(ProgramBuilder p, int index, long source, int other) {
        int count = count(p, index);
        p.add(new Elementwise(Function.ADD, p.type(), width(count)).add(source, p.result(other), p.result(index), count));
    }

    private static void addPerChannelTo(ProgramBuilder p, int index, long source, int other) {
        Shape shape = p.graph.shapeOf(index);
        int count = count(p, index);
        int perRow = p.graph.shapeOf(other).batch() == 1 ? count : shape.positions() * shape.channels();
        p.add(new Elementwise(Function.ADD_PER_CHANNEL, p.type(), width(shape.channels()))
                .perChannel(source, p.result(other), p.result(index), count, shape.channels(), perRow));
    }

    private static int count(ProgramBuilder p, int index) {
        return Math.toIntExact(p.graph.shapeOf(index).elements());
    }

    static void concat(ProgramBuilder p, int index) {
        Node node = p.graph.node(index);
        int channel = 0;
        for (int input : node.inputs()) {
            int columns = p.graph.shapeOf(input).channels();
            int width = width(columns, channel, node.shape().channels());
            p.add(new CopyRows(p.type(), p.type(), width)
                    .call(p.result(input), p.result(index, channel), node.shape().rows(), columns, columns, node.shape().channels()));
            channel += columns;
        }
        postOps(p, index, 0);
    }

    /** Each picture and its left and right edges, then of all pictures the rows above and below, which have their corners by then. */
    static void wrapAround(ProgramBuilder p, int index, int width) {
        Node node = p.graph.node(index);
        int input = node.inputs().get(0);
        Shape from = p.graph.shapeOf(input);
        Shape to = node.shape();
        int channels = to.channels();
        int row = to.width() * channels;
        int sourceRow = from.width() * channels;
        CopyRows copy = new CopyRows(p.type(), p.type(), width(channels));
        for (int picture = 0; picture < to.batch(); picture++) {
            int source = picture * from.height() * sourceRow;
            int target = (picture * to.height() + width) * row;
            int ends = (from.width() - width) * channels;
            p.add(copy.call(
                    p.result(input, source), p.result(index, target + width * channels), from.height(), sourceRow, sourceRow, row));
            p.add(copy.call(p.result(input, source + ends), p.result(index, target), from.height(), width * channels, sourceRow, row));
            p.add(copy.call(
                    p.result(input, source), p.result(index, target + width * channels + sourceRow), from.height(), width * channels,
                    sourceRow, row));
        }
        int pictureSize = to.height() * row;
        int above = from.height() * row;
        int below = (width + from.height()) * row;
        p.add(copy.call(p.result(index, above), p.result(index), to.batch(), width * row, pictureSize, pictureSize));
        p.add(copy.call(p.result(index, width * row), p.result(index, below), to.batch(), width * row, pictureSize, pictureSize));
        postOps(p, index, 0);
    }

    static void upsample(ProgramBuilder p, int index) {
        Node node = p.graph.node(index);
        Shape from = p.graph.shapeOf(node.inputs().get(0));
        Shape to = node.shape();
        p.add(new UpsampleNearest(p.type(), width(to.channels()))
                .call(
                        p.result(node.inputs().get(0)),
                        p.result(index),
                        to.batch(),
                        from.height(),
                        from.width(),
                        to.channels(),
                        to.height(),
                        to.width()));
        postOps(p, index, 0);
    }

    static void embedding(ProgramBuilder p, int index) {
        Node node = p.graph.node(index);
        p.add(new Embedding(p.type())
                .call(
                        p.result(node.inputs().get(0)),
                        p.weight(node.weights().get(0)),
                        p.weight(node.weights().get(1)),
                        p.result(index),
                        node.shape().rows(),
                        node.shape().width(),
                        node.shape().channels()));
        postOps(p, index, 0);
    }

    static void timestepEmbedding(ProgramBuilder p, int index) {
        Node node = p.graph.node(index);
        int channels = node.shape().channels();
        p.add(new TimestepEmbedding(p.type())
                .call(
                        p.result(node.inputs().get(0)),
                        p.weight(DeviceWeight.frequencies(channels)),
                        p.result(index),
                        node.shape().rows(),
                        channels));
        postOps(p, index, 0);
    }
}
