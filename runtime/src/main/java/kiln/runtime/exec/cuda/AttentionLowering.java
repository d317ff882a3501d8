package kiln.runtime.exec.cuda;

import kiln.kernels.op.AttentionKernel;
import kiln.kernels.op.AttentionShape;
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
        AttentionKernel kernel = AttentionKernel.choose(p.type(), p.target.card().capability(), op.headSize(), op.causal(), shape);
        p.add(kernel.call(
                p.result(node.inputs().get(0), op.qOffset()),
                p.result(node.inputs().get(1), op.kOffset()),
                p.result(node.inputs().get(2), op.vOffset()),
                p.result(index),
                shape,
                (float) (1 / Math.sqrt(op.headSize()))));
        ElementLowering.postOps(p, index, 0);
    }
}
