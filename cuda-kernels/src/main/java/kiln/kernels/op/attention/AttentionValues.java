package kiln.kernels.op.attention;

import java.util.List;
import java.util.Objects;
import kiln.kernels.DataType;
import kiln.kernels.Kernel;
import kiln.kernels.KernelCall;
import kiln.kernels.op.Arithmetic;
import kiln.kernels.op.Code;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxType;
import kiln.kernels.ptx.Target;
import kiln.kernels.ptx.Value;

/**
 * Attention with a stored matrix, last part: {@code out[query, head] = Σ_key weights[head, query, key] · v[key, head]} for a slice's heads
 * and queries. Weights are 32-bit floats, which tensor cores round to halves; values are read and results written in place as
 * {@link AttentionShape} says.
 *
 * @param arithmetic tensor cores take f16, with vectors
 * @param vector head size, strides and keys are multiples of four, for tensor cores of eight
 */
public record AttentionValues(DataType type, Arithmetic arithmetic, boolean vector) implements Kernel {
    public AttentionValues {
        Objects.requireNonNull(type, "type");
        StridedProduct.require(type, arithmetic, vector);
    }

    @Override
    public String name() {
        return "attention_values";
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

    /**
     * @param weights address of the slice's own weights
     * @param v address of the first picture's first head's first value, of out likewise
     */
    public KernelCall call(long weights, long v, long out, int headSize, AttentionShape shape, AttentionSlice slice) {
        slice.requireWithin(shape);
        if (vector && !AttentionScores.canUseVectors(arithmetic, headSize, shape)) {
            throw new IllegalArgumentException(
                    name() + " " + variant() + ": head size " + headSize + ", " + shape.keys() + " keys, strides " + shape.strides());
        }
        return SliceParameters.call(
                this,
                slice,
                headSize,
                SliceParameters.arguments(List.of(weights, v, out), shape, shape.vStride(), shape.outStride(), headSize, slice));
    }

    @Override
    public String ptx() {
        PtxFunction f = Code.entry(this);
        Value weights = f.parameter("weights", PtxType.U64);
        Value v = f.parameter("v", PtxType.U64);
        Value out = f.parameter("out", PtxType.U64);
        SliceParameters slice = new SliceParameters(f, "v_stride", "out_stride");
        HeadPlace place = slice.place(f);
        Value rowsBefore = f.mul(place.slot(), slice.sliceQueries);
        Value left = f.mad(f.mulWide(rowsBefore, slice.keys), Value.ofLong(Float.BYTES), weights);
        Value right = place.of(type, v, f.mul(place.picture(), slice.keys), slice.firstStride);
        Value result = place.of(type, out, f.mad(place.picture(), slice.queries, slice.firstQuery), slice.secondStride);
        StridedProduct product = StridedProduct.of(f, arithmetic, vector);
        product.emit(
                new StridedProduct.Factor(DataType.F32, left, slice.keys, slice.sliceQueries, true),
                new StridedProduct.Factor(type, right, slice.firstStride, slice.headSize, false),
                slice.keys,
                (row, column, sums) -> {
                    Value line = f.mad(f.mulWide(row, slice.secondStride), Value.ofLong(type.bytes()), result);
                    product.storeRow(type, line, Code.less(f, row, slice.sliceQueries), column, slice.headSize, sums);
                });
        return f.moduleText();
    }

    /** The whole attention's result with zeros where the slice has none. */
    public float[] reference(float[] weights, float[] v, int headSize, AttentionShape shape, AttentionSlice slice) {
        float[] out = new float[shape.batch() * shape.queries() * shape.outStride()];
        for (int row = 0; row < slice.rows(); row++) {
            int head = slice.firstHead() + row / slice.queries();
            int query = slice.firstQuery() + row % slice.queries();
            int picture = head / shape.heads();
            int channel = head % shape.heads() * headSize;
            for (int c = 0; c < headSize; c++) {
                double sum = 0;
                for (int key = 0; key < shape.keys(); key++) {
                    sum += (double) weights[row * shape.keys() + key] * v[(picture * shape.keys() + key) * shape.vStride() + channel + c];
                }
                out[(picture * shape.queries() + query) * shape.outStride() + channel + c] = (float) sum;
            }
        }
        return out;
    }
}
