package kiln.kernels.op.attention;

import java.util.ArrayList;
import java.util.List;
import kiln.kernels.DataType;
import kiln.kernels.KernelCall;
import kiln.kernels.op.Arithmetic;
import kiln.kernels.op.Code;
import kiln.kernels.op.norm.Softmax;
import kiln.kernels.op.product.Results;

/**
 * Attention with a stored matrix of scores, one slice after another in the same work memory: {@link AttentionScores}, {@link Softmax},
 * {@link AttentionValues}. Results equal those of {@link AttentionKernel}; any card, head size and stride.
 */
public final class SplitAttention {
    /** What a slice is; names are those of the flags that ask for it. */
    public enum Kind {
        /** Some queries of all heads: {@code --opt-split-attention}. */
        QUERIES,
        /** All queries of some heads: {@code --opt-split-attention-v1}. */
        HEADS,
        /** Everything at once: {@code --disable-opt-split-attention}. */
        WHOLE
    }

    /** So that a score's place fits into 32 bits. */
    private static final long MOST_SCORES = 1L << 31;

    private SplitAttention() {}

    /** Bytes of work memory with which all is one slice; more are never used. */
    public static long mostWorkBytes(AttentionShape shape) {
        return bytes((long) shape.batch() * shape.heads(), shape.queries(), shape.keys());
    }

    /** The fewest bytes of work memory that will do. */
    public static long leastWorkBytes(Kind kind, AttentionShape shape) {
        return switch (kind) {
            case QUERIES -> bytes((long) shape.batch() * shape.heads(), 1, shape.keys());
            case HEADS -> bytes(1, shape.queries(), shape.keys());
            case WHOLE -> mostWorkBytes(shape);
        };
    }

    private static long bytes(long heads, long queries, long keys) {
        return Math.multiplyExact(Math.multiplyExact(heads, queries), keys) * Float.BYTES;
    }

    /**
     * The launches of a whole attention, in order.
     *
     * @param capability the card's, times ten
     * @param q addresses as for {@link AttentionKernel#call}
     * @param work address of {@code workBytes}, aligned to 16
     * @throws IllegalArgumentException when {@code workBytes} are fewer than {@link #leastWorkBytes}
     */
    public static List<KernelCall> calls(
            Kind kind,
            DataType type,
            int capability,
            int headSize,
            boolean causal,
            AttentionShape shape,
            float factor,
            long q,
            long k,
            long v,
            long out,
            long work,
            long workBytes) {
        Arithmetic arithmetic = Arithmetic.best(type, capability);
        if (!AttentionScores.canUseVectors(arithmetic, headSize, shape)) {
            arithmetic = Arithmetic.FMA;
        }
        boolean vector = AttentionScores.canUseVectors(arithmetic, headSize, shape);
        AttentionScores scores = new AttentionScores(type, arithmetic, vector);
        Softmax softmax = new Softmax(DataType.F32, shape.keys() % 4 == 0 ? 4 : 1);
        AttentionValues values = new AttentionValues(type, arithmetic, vector);
        List<KernelCall> calls = new ArrayList<>();
        for (AttentionSlice slice : slices(kind, shape, workBytes)) {
            calls.add(scores.call(q, k, work, headSize, causal, shape, slice));
            calls.add(softmax.call(work, work, slice.rows(), shape.keys(), factor));
            calls.add(values.call(work, v, out, headSize, shape, slice));
        }
        return calls;
    }

    /** Slices as large as the work memory allows, all of about the same size. */
    static List<AttentionSlice> slices(Kind kind, AttentionShape shape, long workBytes) {
        long least = leastWorkBytes(kind, shape);
        if (workBytes < least) {
            throw new IllegalArgumentException("attention in slices (" + kind + ") of " + shape + ": " + workBytes
                    + " bytes of work memory, at least " + least + " are needed");
        }
        long mostScores = Math.min(MOST_SCORES, workBytes / Float.BYTES);
        int allHeads = shape.batch() * shape.heads();
        List<AttentionSlice> slices = new ArrayList<>();
        if (kind == Kind.QUERIES) {
            int step = step(shape.queries(), mostScores / ((long) allHeads * shape.keys()));
            for (int first = 0; first < shape.queries(); first += step) {
                slices.add(new AttentionSlice(0, allHeads, first, Math.min(step, shape.queries() - first)));
            }
        } else {
            int step = step(allHeads, mostScores / ((long) shape.queries() * shape.keys()));
            for (int first = 0; first < allHeads; first += step) {
                slices.add(new AttentionSlice(first, Math.min(step, allHeads - first), 0, shape.queries()));
            }
        }
        return slices;
    }

    /** Of a slice, when {@code most} may be in one: no slice is much smaller than the others. */
    private static int step(int all, long most) {
        int fitting = (int) Math.max(1, Math.min(all, most));
        int slices = Code.blocks(all, fitting);
        return Code.blocks(all, slices);
    }
}
