package kiln.kernels.cases;

import java.util.ArrayList;
import java.util.List;
import kiln.kernels.DataType;
import kiln.kernels.op.attention.Attention;
import kiln.kernels.op.attention.AttentionScores;
import kiln.kernels.op.attention.AttentionShape;
import kiln.kernels.op.attention.AttentionSlice;
import kiln.kernels.op.attention.AttentionValues;
import kiln.kernels.op.attention.SplitAttention;
import kiln.kernels.ptx.Target;

/** Attention with a stored matrix: its parts, and whole ones in slices of every kind. */
final class SplitAttentionCases {
    private SplitAttentionCases() {}

    static List<KernelCase> of(AttentionScores kernel) {
        return List.of(scores(kernel, false), scores(kernel, true));
    }

    private static KernelCase scores(AttentionScores kernel, boolean causal) {
        int headSize = kernel.vector() ? 24 : 19;
        int length = kernel.vector() ? 72 : 71;
        DataType type = kernel.type();
        AttentionShape shape = AttentionShape.packed(2, 3, headSize, length);
        AttentionSlice slice = new AttentionSlice(2, 3, 1, 67);
        CaseBuilder c = new CaseBuilder(kernel, causal ? "causal" : "67 queries");
        float[] q = c.normal(type, 2 * length * shape.qStride(), 1);
        float[] k = c.normal(type, 2 * length * shape.kStride(), 1);
        long qAddress = c.input("q", type, q, 2, length, shape.qStride());
        long kAddress = c.input("k", type, k, 2, length, shape.kStride());
        float[] expected = kernel.reference(q, k, headSize, causal, shape, slice);
        long scores = c.output("scores", DataType.F32, expected, slice.heads(), slice.queries(), length);
        return c.call(kernel.call(qAddress, kAddress, scores, headSize, causal, shape, slice)).build(1e-5, 1e-5);
    }

    static List<KernelCase> of(AttentionValues kernel) {
        List<KernelCase> cases = new ArrayList<>();
        cases.add(values(kernel));
        for (SplitAttention.Kind kind : SplitAttention.Kind.values()) {
            cases.add(whole(kernel, kind, kind == SplitAttention.Kind.QUERIES));
        }
        return cases;
    }

    private static KernelCase values(AttentionValues kernel) {
        int headSize = kernel.vector() ? 72 : 70;
        int keys = kernel.vector() ? 40 : 17;
        int queries = 66;
        DataType type = kernel.type();
        AttentionShape shape = new AttentionShape(1, 1, queries, keys, headSize, headSize, headSize, headSize);
        AttentionSlice slice = new AttentionSlice(0, 1, 0, queries);
        CaseBuilder c = new CaseBuilder(kernel, queries + " queries, head size " + headSize);
        float[] weights = c.normal(DataType.F32, queries * keys, 1 / Math.sqrt(keys));
        float[] v = c.normal(type, keys * headSize, 1);
        long weightsAddress = c.input("weights", DataType.F32, weights, queries, keys);
        long vAddress = c.input("v", type, v, keys, headSize);
        long out = c.output("out", type, kernel.reference(weights, v, headSize, shape, slice), queries, headSize);
        return c.call(kernel.call(weightsAddress, vAddress, out, headSize, shape, slice)).build(type, tolerance(kernel));
    }

    /** Tensor cores take the weights as halves: 2^-11 of values of about 2 at most. */
    private static double tolerance(AttentionValues kernel) {
        return !kernel.target().equals(Target.FLOOR) ? 1e-3 : 1e-5;
    }

    /** Scores, softmax and values; the work memory is such that the last slice is a smaller one. */
    private static KernelCase whole(AttentionValues kernel, SplitAttention.Kind kind, boolean causal) {
        int headSize = kernel.vector() ? 24 : 19;
        int queries = 21;
        int keys = causal ? queries : 37;
        if (kernel.vector()) {
            queries = 24;
            keys = causal ? queries : 40;
        }
        DataType type = kernel.type();
        int width = 3 * headSize;
        int stride = 2 * width;
        AttentionShape shape = new AttentionShape(1, 3, queries, keys, width, stride, stride, width);
        float factor = (float) (1 / Math.sqrt(headSize));
        CaseBuilder c = new CaseBuilder(kernel, kind + (causal ? " causal" : ""));
        float[] q = c.normal(type, queries * width, 2.5);
        float[] k = c.normal(type, keys * stride, 1);
        float[] v = c.normal(type, keys * stride, 1);
        long qAddress = c.input("q", type, q, queries, width);
        long kAddress = c.input("k", type, k, keys, stride);
        long vAddress = c.input("v", type, v, keys, stride);
        long workBytes = kind == SplitAttention.Kind.WHOLE
                ? SplitAttention.mostWorkBytes(shape)
                : SplitAttention.leastWorkBytes(kind, shape) * (kind == SplitAttention.Kind.QUERIES ? 10 : 2);
        long work = c.work("work", DataType.F32, (int) (workBytes / Float.BYTES));
        float[] expected = new Attention(type, headSize, causal, false).reference(q, k, v, shape, factor);
        long out = c.output("out", type, expected, queries, width);
        SplitAttention.calls(
                        kind, type, kernel.target().capability(), headSize, causal, shape, factor, qAddress, kAddress, vAddress, out, work, workBytes)
                .forEach(c::call);
        return c.build(type, tolerance(kernel));
    }
}
