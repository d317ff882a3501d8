package kiln.kernels.cases;

import java.util.ArrayList;
import java.util.List;
import kiln.kernels.DataType;
import kiln.kernels.op.attention.Attention;
import kiln.kernels.op.attention.AttentionKernel;
import kiln.kernels.op.attention.AttentionShape;

/** Attention: self-attention of odd length, and keys of another length read out of a wider tensor. */
final class AttentionCases {
    private AttentionCases() {}

    static List<KernelCase> of(AttentionKernel kernel) {
        List<KernelCase> cases = new ArrayList<>();
        // A few queries more than a block has.
        int length = kernel.queriesPerBlock() + 6;
        cases.add(attention(kernel, 1, 2, length, length, 0));
        if (!kernel.causal()) {
            cases.add(attention(kernel, 2, 1, 17, 77, 8));
            cases.add(attention(kernel, 1, 1, 3, 1, 0));
        }
        return cases;
    }

    /** @param gap elements that belong to others between one position of k or v and the next */
    private static KernelCase attention(AttentionKernel kernel, int batch, int heads, int queries, int keys, int gap) {
        DataType type = kernel.type();
        int width = heads * kernel.headSize();
        int stride = width + gap;
        AttentionShape shape = new AttentionShape(batch, heads, queries, keys, width, stride, stride, width);
        float factor = (float) (1 / Math.sqrt(kernel.headSize()));
        CaseBuilder c = new CaseBuilder(kernel, queries + " queries, " + keys + " keys");
        // Scores of some size, so that the maximum moves while the keys go by.
        float[] q = c.normal(type, batch * queries * width, 2.5);
        float[] k = c.normal(type, batch * keys * stride, 1);
        float[] v = c.normal(type, batch * keys * stride, 1);
        long qAddress = c.input("q", type, q, batch, queries, width);
        long kAddress = c.input("k", type, k, batch, keys, stride);
        long vAddress = c.input("v", type, v, batch, keys, stride);
        long out = c.output("out", type, kernel.reference(q, k, v, shape, factor), batch, queries, width);
        c.call(kernel.call(qAddress, kAddress, vAddress, out, shape, factor));
        // Tensor cores take the weights as halves: 2^-11 of values of about 2 at most.
        return kernel instanceof Attention ? c.build(type, 1e-5) : c.build(1e-3, 1e-3);
    }
}
