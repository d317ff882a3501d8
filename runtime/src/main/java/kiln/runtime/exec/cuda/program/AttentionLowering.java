package kiln.runtime.exec.cuda.program;

import kiln.kernels.op.attention.AttentionKernel;
import kiln.kernels.op.attention.AttentionShape;
import kiln.kernels.op.attention.SplitAttention;
import kiln.runtime.base.AttentionKind;
import kiln.runtime.graph.Node;
import kiln.runtime.graph.Op;
import kiln.runtime.graph.Shape;

/** Attention, by one of several kernels that give the same result. */
final class AttentionLowering {
    private AttentionLowering() {}

    static void attention(ProgramBuilder p, int index, Op.Attention op) {
        Node node = p.graph.node(index);
        Shape q = p.graph.shapeOf(node.inputs().get(0));
        Shape k = p.graph.shapeOf(node.inputs().get(1));
        Shape v = p.graph.shapeOf(node.inputs().get(2));
        AttentionShape shape = new AttentionShape(
                q.batch(),
                op.heads(),
                q.positions(),
                k.positions(),
                q.channels(),
                k.channels(),
                v.channels(),
                node.shape().channels());
        float factor = (float) (1 / Math.sqrt(op.headSize()));
        long[] places = {
            p.result(node.inputs().get(0), op.qOffset()),
            p.result(node.inputs().get(1), op.kOffset()),
            p.result(node.inputs().get(2), op.vOffset()),
            p.result(index)
        };
        SplitAttention.Kind slices = slices(p.target.attention().kind());
        if (slices != null) {
            long least = SplitAttention.leastWorkBytes(slices, shape);
            long bytes = Math.max(least, Math.min(p.target.attention().sliceBytes(), SplitAttention.mostWorkBytes(shape)));
            SplitAttention.calls(
                            slices,
                            p.type(),
                            p.target.card().capability(),
                            op.headSize(),
                            op.causal(),
                            shape,
                            factor,
                            places[0],
                            places[1],
                            places[2],
                            places[3],
                            p.work(bytes),
                            bytes)
                    .forEach(p::add);
            ElementLowering.postOps(p, index, 0);
            return;
        }
        AttentionKernel kernel = AttentionKernel.choose(p.type(), p.target.card().capability(), op.headSize(), op.causal(), shape);
        p.add(kernel.call(places[0], places[1], places[2], places[3], shape, factor));
        ElementLowering.postOps(p, index, 0);
    }

    /** {@code null} where no scores are stored. */
    private static SplitAttention.Kind slices(AttentionKind kind) {
        return switch (kind) {
            case AUTO, MEMORY_EFFICIENT -> null;
            case SPLIT -> SplitAttention.Kind.QUERIES;
            case SPLIT_V1 -> SplitAttention.Kind.HEADS;
            case WHOLE -> SplitAttention.Kind.WHOLE;
        };
    }
}
