package kiln.runtime.exec.reference;

import kiln.runtime.graph.Node;
import kiln.runtime.graph.Op;
import kiln.runtime.graph.Shape;

/** Convolutions and linear layers: gathers what each position sees, then multiplies. */
final class MatrixOps {
    private MatrixOps() {}

    static float[] convolution(Frame frame, Node node, Op.Conv2d op) {
        Shape from = frame.inputShape(node, 0);
        Shape to = node.shape();
        float[] x = frame.input(node, 0);
        return product(frame, node, (row, target) -> {
            int column = row % to.width();
            int line = row / to.width() % to.height();
            int image = row / to.positions();
            gather(x, from, image, line * op.stride() - op.padBefore(), column * op.stride() - op.padBefore(), op, target);
        });
    }

    /** The kernel's view of the map from (top, left) on; zeros beyond the edges. */
    private static void gather(float[] x, Shape from, int image, int top, int left, Op.Conv2d op, float[] target) {
        int channels = from.channels();
        int doubling = op.upsample() ? 2 : 1;
        for (int i = 0; i < op.kernel(); i++) {
            for (int j = 0; j < op.kernel(); j++) {
                int line = top + i;
                int column = left + j;
                if (line >= 0 && line < doubling * from.height() && column >= 0 && column < doubling * from.width()) {
                    int source = (image * from.height() + line / doubling) * from.width() + column / doubling;
                    System.arraycopy(x, source * channels, target, (i * op.kernel() + j) * channels, channels);
                }
            }
        }
    }

    static float[] linear(Frame frame, Node node) {
        int channels = frame.inputShape(node, 0).channels();
        float[] x = frame.input(node, 0);
        return product(frame, node, (row, target) -> System.arraycopy(x, row * channels, target, 0, channels));
    }

    /** Values in the first half of the products, gates in the second. */
    static float[] geglu(Frame frame, Node node) {
        int channels = frame.inputShape(node, 0).channels();
        int half = node.shape().channels();
        float[] x = frame.input(node, 0);
        float[] result = Frame.room(node.shape());
        Reader reader = (row, target) -> System.arraycopy(x, row * channels, target, 0, channels);
        product(frame, node, reader, (row, values) -> {
            for (int i = 0; i < half; i++) {
                result[row * half + i] = (float) (values[i] * Functions.gelu(values[half + i]));
            }
        });
        return result;
    }

    /** Writes what a row of the result depends on into a zeroed target. */
    @FunctionalInterface
    private interface Reader {
        void read(int row, float[] target);
    }

    @FunctionalInterface
    private interface Writer {
        void write(int row, float[] values);
    }

    private static float[] product(Frame frame, Node node, Reader reader) {
        float[] result = Frame.room(node.shape());
        int channels = node.shape().channels();
        product(frame, node, reader, (row, values) -> System.arraycopy(values, 0, result, row * channels, channels));
        return result;
    }

    private static void product(Frame frame, Node node, Reader reader, Writer writer) {
        float[][] weights = frame.weights().matrix(node.weights().get(0));
        float[] bias = node.weights().size() > 1 ? frame.weights().vector(node.weights().get(1)) : null;
        int columns = node.weights().get(0).rows();
        Product.tiles(node.shape().rows(), (begin, end) -> {
            float[][] x = new float[end - begin][weights.length];
            for (int row = begin; row < end; row++) {
                reader.read(row, x[row - begin]);
            }
            float[][] products = Product.multiply(x, weights, columns);
            for (int row = begin; row < end; row++) {
                if (bias != null) {
                    Product.add(products[row - begin], bias, columns);
                }
                writer.write(row, products[row - begin]);
            }
        });
    }
}
