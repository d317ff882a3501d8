package kiln.kernels.op.attention;

import java.util.List;
import kiln.kernels.DataType;
import kiln.kernels.Kernel;
import kiln.kernels.KernelCall;
import kiln.kernels.op.Arithmetic;
import kiln.kernels.op.Code;

/**
 * Memory-efficient attention: {@code softmax(factor · q·kᵀ)·v} per head with a running softmax (Milakov and Gimelshein 2018), so that no
 * matrix of queries × keys is ever stored. With {@code causal}, query i sees keys 0 to i.
 *
 * <p>{@link #choose} picks the variant; all take the same call.
 */
public sealed interface AttentionKernel extends Kernel permits Attention, TensorAttention, WideTensorAttention {
    double LOG2_E = 1.4426950408889634;

    DataType type();

    int headSize();

    boolean causal();

    /** Queries of one block. */
    int queriesPerBlock();

    /** Whether the strides, the causal mask's lengths and the factor are such that this variant can do it. */
    boolean takes(AttentionShape shape);

    /**
     * @param q address of the first picture's first head's first query, at a whole head of a tensor that is aligned to 16 bytes; k, v and
     *     out likewise
     * @param factor of the scores, 1/√headSize as a rule; positive
     * @throws IllegalArgumentException when {@link #takes} says no
     */
    default KernelCall call(long q, long k, long v, long out, AttentionShape shape, float factor) {
        if (!takes(shape) || causal() && shape.queries() != shape.keys() || !(factor > 0)) {
            throw new IllegalArgumentException(name() + " " + variant() + ": " + shape.queries() + " queries, " + shape.keys() + " keys, strides "
                    + shape.strides() + ", factor " + factor);
        }
        return new KernelCall(
                this,
                Code.blocks(shape.queries(), queriesPerBlock()),
                shape.heads(),
                shape.batch(),
                List.of(
                        q,
                        k,
                        v,
                        out,
                        shape.queries(),
                        shape.keys(),
                        shape.qStride(),
                        shape.kStride(),
                        shape.vStride(),
                        shape.outStride(),
                        (float) (factor * LOG2_E)));
    }

    /** The plain definition in double precision; the result's rows are {@code heads · headSize} long. */
    default float[] reference(float[] q, float[] k, float[] v, AttentionShape shape, float factor) {
        int headSize = headSize();
        int width = shape.heads() * headSize;
        float[] out = new float[shape.batch() * shape.queries() * width];
        double[] weights = new double[shape.keys()];
        for (int row = 0; row < shape.batch() * shape.queries() * shape.heads(); row++) {
            int head = row % shape.heads() * headSize;
            int query = row / shape.heads();
            int firstKey = query / shape.queries() * shape.keys();
            int visible = causal() ? query % shape.queries() + 1 : shape.keys();
            double largest = Double.NEGATIVE_INFINITY;
            for (int j = 0; j < visible; j++) {
                double score = 0;
                for (int c = 0; c < headSize; c++) {
                    score += (double) q[query * shape.qStride() + head + c] * k[(firstKey + j) * shape.kStride() + head + c];
                }
                weights[j] = score * factor;
                largest = Math.max(largest, weights[j]);
            }
            double sum = 0;
            for (int j = 0; j < visible; j++) {
                weights[j] = Math.exp(weights[j] - largest);
                sum += weights[j];
            }
            for (int c = 0; c < headSize; c++) {
                double value = 0;
                for (int j = 0; j < visible; j++) {
                    value += weights[j] * v[(firstKey + j) * shape.vStride() + head + c];
                }
                out[query * width + head + c] = (float) (value / sum);
            }
        }
        return out;
    }

    /**
     * The fastest variant for a card.
     *
     * @param capability times ten
     * @throws IllegalArgumentException when the head is too large for any
     */
    static AttentionKernel choose(DataType type, int capability, int headSize, boolean causal, AttentionShape shape) {
        Arithmetic arithmetic = Arithmetic.best(type, capability);
        if (arithmetic.isTensor() && shape.stridesAreMultiplesOf(TensorAttention.UNIT)) {
            if (TensorAttention.hasHead(headSize)) {
                return TensorAttention.forLength(arithmetic, headSize, causal, shape.queries());
            }
            if (WideTensorAttention.hasHead(headSize)) {
                return new WideTensorAttention(arithmetic, headSize, causal);
            }
        }
        boolean vector = headSize % Attention.VECTOR == 0 && shape.stridesAreMultiplesOf(Attention.VECTOR);
        return new Attention(type, headSize, causal, vector);
    }
}
