package kiln.runtime.exec.reference;

import kiln.runtime.graph.Node;
import kiln.runtime.graph.Op;
import kiln.runtime.graph.Shape;

/** softmax(q·kᵀ/√headSize)·v, a head and a few queries at a time. */
final class AttentionOp {
    private AttentionOp() {}

    static float[] run(Frame frame, Node node, Op.Attention op) {
        float[] result = Frame.room(node.shape());
        for (int image = 0; image < node.shape().batch(); image++) {
            for (int head = 0; head < op.heads(); head++) {
                head(frame, node, op, image, head, result);
            }
        }
        return result;
    }

    private static void head(Frame frame, Node node, Op.Attention op, int image, int head, float[] result) {
        int size = op.headSize();
        int keys = frame.inputShape(node, 1).positions();
        float[][] transposedKeys = new float[size][keys];
        float[][] values = new float[keys][size];
        Slice k = new Slice(frame, node, 1, image, op.kOffset() + head * size);
        Slice v = new Slice(frame, node, 2, image, op.vOffset() + head * size);
        for (int j = 0; j < keys; j++) {
            for (int i = 0; i < size; i++) {
                transposedKeys[i][j] = k.at(j, i);
                values[j][i] = v.at(j, i);
            }
        }
        Slice q = new Slice(frame, node, 0, image, op.qOffset() + head * size);
        int positions = node.shape().positions();
        Product.tiles(positions, (begin, end) -> {
            float[][] queries = new float[end - begin][size];
            for (int row = begin; row < end; row++) {
                for (int i = 0; i < size; i++) {
                    queries[row - begin][i] = q.at(row, i);
                }
            }
            float[][] scores = Product.multiply(queries, transposedKeys, keys);
            for (int row = begin; row < end; row++) {
                softmax(scores[row - begin], op.causal() ? Math.min(keys, row + 1) : keys, 1 / Math.sqrt(size));
            }
            float[][] sums = Product.multiply(scores, values, size);
            for (int row = begin; row < end; row++) {
                int target = (image * positions + row) * op.channels() + head * size;
                System.arraycopy(sums[row - begin], 0, result, target, size);
            }
        });
    }

    /** In place over the first {@code count} scores; those behind, which a causal query must not see, become 0. */
    private static void softmax(float[] scores, int count, double scale) {
        double largest = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < count; i++) {
            largest = Math.max(largest, scores[i]);
        }
        double[] powers = new double[count];
        double sum = 0;
        for (int i = 0; i < count; i++) {
            powers[i] = Math.exp((scores[i] - largest) * scale);
            sum += powers[i];
        }
        for (int i = 0; i < scores.length; i++) {
            scores[i] = i < count ? (float) (powers[i] / sum) : 0;
        }
    }

    /** One head's channels of one picture in a result that may be wider. */
    private static final class Slice {
        private final float[] values;
        private final int start;
        private final int stride;

        Slice(Frame frame, Node node, int input, int image, int channel) {
            Shape shape = frame.inputShape(node, input);
            values = frame.input(node, input);
            stride = shape.channels();
            start = image * shape.positions() * stride + channel;
        }

        float at(int position, int channel) {
            return values[start + position * stride + channel];
        }
    }
}
