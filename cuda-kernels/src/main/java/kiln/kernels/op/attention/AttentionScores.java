package kiln.kernels.op.attention;

import java.util.List;
import java.util.Objects;
import kiln.kernels.DataType;
import kiln.kernels.Kernel;
import kiln.kernels.KernelCall;
import kiln.kernels.op.Arithmetic;
import kiln.kernels.op.Code;
import kiln.kernels.op.norm.Softmax;
import kiln.kernels.ptx.Comparison;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxOp;
import kiln.kernels.ptx.PtxType;
import kiln.kernels.ptx.Target;
import kiln.kernels.ptx.Value;

/**
 * Attention with a stored matrix, first part: {@code scores[head, query, key] = q·k} in 32-bit floats for a slice's heads and queries, heads
 * read in place as {@link AttentionShape} says. {@link Softmax} multiplies by the factor. With {@code causal}, keys behind the query get the
 * lowest float.
 *
 * @param arithmetic tensor cores take f16, with vectors
 * @param vector head size, strides and keys are multiples of four, for tensor cores of eight
 */
public record AttentionScores(DataType type, Arithmetic arithmetic, boolean vector) implements Kernel {
    public AttentionScores {
        Objects.requireNonNull(type, "type");
        StridedProduct.require(type, arithmetic, vector);
    }

    @Override
    public String name() {
        return "attention_scores";
    }

    @Override
    public String variant() {
        return StridedProduct.label(type, arithmetic, vector);
    }

    @Override
    public Target target() {
        return arithmetic.target();
    }

    @Override
    public int threads() {
        return StridedProduct.threads(arithmetic);
    }

    @Override
    public int registerBudget() {
        return StridedProduct.registerBudget(arithmetic);
    }

    static boolean canUseVectors(Arithmetic arithmetic, int headSize, AttentionShape shape) {
        int unit = StridedProduct.unit(arithmetic);
        return (headSize | shape.keys()) % unit == 0 && shape.stridesAreMultiplesOf(unit);
    }

    /**
     * @param q address of the first picture's first head's first query, of k likewise
     * @param scores address of the slice's own scores
     */
    public KernelCall call(long q, long k, long scores, int headSize, boolean causal, AttentionShape shape, AttentionSlice slice) {
        slice.requireWithin(shape);
        if (vector && !canUseVectors(arithmetic, headSize, shape)) {
            throw new IllegalArgumentException(
                    name() + " " + variant() + ": head size " + headSize + ", " + shape.keys() + " keys, strides " + shape.strides());
        }
        List<Object> arguments = SliceParameters.arguments(List.of(q, k, scores), shape, shape.qStride(), shape.kStride(), headSize, slice);
        arguments.add(causal ? 1 : shape.keys());
        return SliceParameters.call(this, slice, shape.keys(), arguments);
    }

    @Override
    public String ptx() {
        PtxFunction f = Code.entry(this);
        Value q = f.parameter("q", PtxType.U64);
        Value k = f.parameter("k", PtxType.U64);
        Value scores = f.parameter("scores", PtxType.U64);
        SliceParameters slice = new SliceParameters(f, "q_stride", "k_stride");
        // How many keys the first query sees; each next one sees one more.
        Value seenByFirst = f.parameter("seen_by_first", PtxType.U32);
        HeadPlace place = slice.place(f);
        Value left = place.of(type, q, f.mad(place.picture(), slice.queries, slice.firstQuery), slice.firstStride);
        Value right = place.of(type, k, f.mul(place.picture(), slice.keys), slice.secondStride);
        Value rowsBefore = f.mul(place.slot(), slice.sliceQueries);
        StridedProduct product = StridedProduct.of(f, arithmetic, vector);
        product.emit(
                new StridedProduct.Factor(type, left, slice.firstStride, slice.sliceQueries, true),
                new StridedProduct.Factor(type, right, slice.secondStride, slice.keys, true),
                slice.headSize,
                (row, column, sums) -> {
                    Value seen = f.add(f.add(slice.firstQuery, row), seenByFirst);
                    for (int i = 0; i < sums.length; i++) {
                        Value hidden = f.compare(Comparison.GREATER_OR_EQUAL, f.add(column, Value.of(i)), seen);
                        f.assign(sums[i], PtxOp.SELECT, Value.of(-Float.MAX_VALUE), sums[i], hidden);
                    }
                    Value line = f.mad(f.mulWide(f.add(rowsBefore, row), slice.keys), Value.ofLong(Float.BYTES), scores);
                    product.storeRow(DataType.F32, line, Code.less(f, row, slice.sliceQueries), column, slice.keys, sums);
                });
        return f.moduleText();
    }

    /** Of the slice, {@code [heads, queries, keys]}. */
    public float[] reference(float[] q, float[] k, int headSize, boolean causal, AttentionShape shape, AttentionSlice slice) {
        float[] scores = new float[slice.rows() * shape.keys()];
        for (int row = 0; row < slice.rows(); row++) {
            int head = slice.firstHead() + row / slice.queries();
            int query = slice.firstQuery() + row % slice.queries();
            int picture = head / shape.heads();
            int channel = head % shape.heads() * headSize;
            for (int key = 0; key < shape.keys(); key++) {
                double sum = 0;
                for (int c = 0; c < headSize; c++) {
                    sum += (double) q[(picture * shape.queries() + query) * shape.qStride() + channel + c]
                            * k[(picture * shape.keys() + key) * shape.kStride() + channel + c];
                }
                scores[row * shape.keys() + key] = causal && key > query ? -Float.MAX_VALUE : (float) sum;
            }
        }
        return scores;
    }
}
