package kiln.runtime.exec.reference;

import java.util.stream.IntStream;
import kiln.runtime.graph.Node;
import kiln.runtime.graph.PostOp;
import kiln.runtime.graph.Shape;

/** Elementwise functions, sums, copies and the two embeddings. */
final class ElementOps {
    private ElementOps() {}

    /** The node's post-ops, in place on its new result. */
    static void postOps(Frame frame, Node node, float[] result) {
        for (PostOp postOp : node.postOps()) {
            switch (postOp.kind()) {
                case ADD -> add(result, frame.results()[postOp.input()]);
                case ADD_PER_CHANNEL -> addPerChannel(
                        result, node.shape(), frame.results()[postOp.input()], frame.graph().shapeOf(postOp.input()));
                default -> activate(result, postOp.kind());
            }
        }
    }

    static float[] activation(Frame frame, Node node, PostOp.Kind kind) {
        float[] result = frame.input(node, 0).clone();
        activate(result, kind);
        return result;
    }

    static float[] prelu(Frame frame, Node node) {
        float[] slopes = frame.weights().vector(node.weights().get(0));
        float[] result = frame.input(node, 0).clone();
        for (int i = 0; i < result.length; i++) {
            result[i] *= result[i] < 0 ? slopes[i % slopes.length] : 1;
        }
        return result;
    }

    static float[] sum(Frame frame, Node node) {
        float[] result = frame.input(node, 0).clone();
        add(result, frame.input(node, 1));
        return result;
    }

    static float[] sumPerChannel(Frame frame, Node node) {
        float[] result = frame.input(node, 0).clone();
        addPerChannel(result, node.shape(), frame.input(node, 1), frame.inputShape(node, 1));
        return result;
    }

    private static void activate(float[] values, PostOp.Kind kind) {
        IntStream.range(0, values.length).parallel().forEach(i -> values[i] = Functions.apply(kind, values[i]));
    }

    private static void add(float[] sums, float[] values) {
        Product.add(sums, values, sums.length);
    }

    private static void addPerChannel(float[] sums, Shape shape, float[] values, Shape valuesShape) {
        int channels = shape.channels();
        for (int row = 0; row < shape.rows(); row++) {
            int vector = valuesShape.batch() == 1 ? 0 : row / shape.positions() * channels;
            for (int i = 0; i < channels; i++) {
                sums[row * channels + i] += values[vector + i];
            }
        }
    }

    static float[] concat(Frame frame, Node node) {
        float[] result = Frame.room(node.shape());
        int start = 0;
        for (int i = 0; i < node.inputs().size(); i++) {
            int channels = frame.inputShape(node, i).channels();
            for (int row = 0; row < node.shape().rows(); row++) {
                System.arraycopy(frame.input(node, i), row * channels, result, row * node.shape().channels() + start, channels);
            }
            start += channels;
        }
        return result;
    }

    static float[] upsample(Frame frame, Node node) {
        Shape from = frame.inputShape(node, 0);
        Shape to = node.shape();
        int channels = to.channels();
        float[] result = Frame.room(to);
        for (int row = 0; row < to.rows(); row++) {
            int column = (int) ((long) (row % to.width()) * from.width() / to.width());
            int line = (int) ((long) (row / to.width() % to.height()) * from.height() / to.height());
            int source = (row / to.positions() * from.height() + line) * from.width() + column;
            System.arraycopy(frame.input(node, 0), source * channels, result, row * channels, channels);
        }
        return result;
    }

    static float[] wrapAround(Frame frame, Node node, int width) {
        Shape from = frame.inputShape(node, 0);
        Shape to = node.shape();
        int channels = to.channels();
        float[] result = Frame.room(to);
        for (int row = 0; row < to.rows(); row++) {
            int column = Math.floorMod(row % to.width() - width, from.width());
            int line = Math.floorMod(row / to.width() % to.height() - width, from.height());
            int source = (row / to.positions() * from.height() + line) * from.width() + column;
            System.arraycopy(frame.input(node, 0), source * channels, result, row * channels, channels);
        }
        return result;
    }

    static float[] embedding(Frame frame, Node node) {
        Shape shape = node.shape();
        int channels = shape.channels();
        int vocabulary = node.weights().get(0).rows();
        float[] ids = frame.input(node, 0);
        float[] result = Frame.room(shape);
        float[] token = new float[channels];
        float[] place = new float[channels];
        for (int row = 0; row < shape.rows(); row++) {
            int id = (int) ids[row];
            if (id != ids[row] || id < 0 || id >= vocabulary) {
                throw new IllegalArgumentException("token id " + ids[row] + " is not one of the vocabulary of " + vocabulary);
            }
            frame.weights().row(node.weights().get(0), id, token);
            frame.weights().row(node.weights().get(1), row % shape.positions(), place);
            Product.add(token, place, channels);
            System.arraycopy(token, 0, result, row * channels, channels);
        }
        return result;
    }

    static float[] timestepEmbedding(Frame frame, Node node) {
        int channels = node.shape().channels();
        int half = channels / 2;
        float[] timesteps = frame.input(node, 0);
        float[] result = Frame.room(node.shape());
        for (int row = 0; row < node.shape().rows(); row++) {
            for (int i = 0; i < half; i++) {
                // Each step is rounded to 32 bits as in the original program: at timestep 999 the rounding of the angle shows.
                float frequency = (float) Math.exp((float) -Math.log(10000) * i / half);
                float angle = timesteps[row] * frequency;
                result[row * channels + i] = (float) Math.cos(angle);
                result[row * channels + half + i] = (float) Math.sin(angle);
            }
        }
        return result;
    }
}
