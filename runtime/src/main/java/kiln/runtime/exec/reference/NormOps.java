package kiln.runtime.exec.reference;

import java.util.stream.IntStream;
import kiln.runtime.graph.Node;
import kiln.runtime.graph.Op;
import kiln.runtime.graph.Shape;

/** Normalisations, with means and variances in 64 bits. */
final class NormOps {
    private NormOps() {}

    static float[] group(Frame frame, Node node, Op.GroupNorm op) {
        Shape shape = node.shape();
        int size = shape.channels() / op.groups();
        Normalisation normalisation = new Normalisation(frame, node, op.epsilon());
        IntStream.range(0, shape.batch() * op.groups()).parallel().forEach(i -> {
            int start = i / op.groups() * shape.positions() * shape.channels();
            normalisation.run(start, shape.positions(), i % op.groups() * size, size);
        });
        return normalisation.result;
    }

    static float[] layer(Frame frame, Node node, Op.LayerNorm op) {
        int channels = node.shape().channels();
        Normalisation normalisation = new Normalisation(frame, node, op.epsilon());
        Product.tiles(node.shape().rows(), (begin, end) -> {
            for (int row = begin; row < end; row++) {
                normalisation.run(row * channels, 1, 0, channels);
            }
        });
        return normalisation.result;
    }

    private static final class Normalisation {
        private final float[] x;
        private final float[] scale;
        private final float[] shift;
        private final float[] result;
        private final int stride;
        private final float epsilon;

        Normalisation(Frame frame, Node node, float epsilon) {
            x = frame.input(node, 0);
            scale = frame.weights().vector(node.weights().get(0));
            shift = frame.weights().vector(node.weights().get(1));
            result = Frame.room(node.shape());
            stride = node.shape().channels();
            this.epsilon = epsilon;
        }

        /** Brings {@code size} channels of the positions from {@code start} on to mean 0 and variance 1, then scales and shifts. */
        void run(int start, int positions, int firstChannel, int size) {
            double count = (double) positions * size;
            double sum = 0;
            for (int p = 0; p < positions; p++) {
                for (int c = firstChannel; c < firstChannel + size; c++) {
                    sum += x[start + p * stride + c];
                }
            }
            double mean = sum / count;
            double squares = 0;
            for (int p = 0; p < positions; p++) {
                for (int c = firstChannel; c < firstChannel + size; c++) {
                    double d = x[start + p * stride + c] - mean;
                    squares += d * d;
                }
            }
            double factor = 1 / Math.sqrt(squares / count + epsilon);
            for (int p = 0; p < positions; p++) {
                for (int c = firstChannel; c < firstChannel + size; c++) {
                    int i = start + p * stride + c;
                    result[i] = (float) ((x[i] - mean) * factor * scale[c] + shift[c]);
                }
            }
        }
    }
}
