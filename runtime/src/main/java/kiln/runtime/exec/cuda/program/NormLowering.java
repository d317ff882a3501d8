package kiln.runtime.exec.cuda.program;

import java.util.List;
import kiln.kernels.op.norm.GroupNormApply;
import kiln.kernels.op.norm.GroupNormScale;
import kiln.kernels.op.norm.GroupNormStatistics;
import kiln.kernels.op.norm.LayerNorm;
import kiln.runtime.graph.Node;
import kiln.runtime.graph.Op;
import kiln.runtime.graph.Shape;

/** Normalisations. */
final class NormLowering {
    private NormLowering() {}

    /** From the statistics that others have left to the norm's factors, and to its result where no reader applies them. */
    static void groupNorm(ProgramBuilder p, int index) {
        Node node = p.graph.node(index);
        Shape shape = node.shape();
        Op.GroupNorm op = (Op.GroupNorm) node.op();
        boolean isApplied = p.bands.isApplied(index);
        long factors = isApplied ? p.result(index) : p.work(p.norms.factorBytes(index));
        List<GroupNormScale.Source> sources = p.norms.sources(index).stream()
                .map(source -> new GroupNormScale.Source(p.statistics(source, 0), p.graph.shapeOf(source).channels(), p.norms.slice(source)))
                .toList();
        p.add(new GroupNormScale(p.type())
                .call(
                        sources,
                        p.weight(node.weights().get(0)),
                        p.weight(node.weights().get(1)),
                        factors,
                        shape.batch(),
                        shape.positions(),
                        op.groups(),
                        op.epsilon()));
        if (!isApplied) {
            apply(p, index, factors, p.result(node.inputs().get(0)), p.result(index), shape.batch(), shape.positions());
            ElementLowering.postOps(p, index, NormNeighbours.hasSilu(node) ? 1 : 0);
        }
    }

    /** Normalises some positions of each picture, and applies SiLU where it follows; {@code out} may be {@code in}. */
    static void apply(ProgramBuilder p, int norm, long factors, long in, long out, int batch, int positions) {
        int channels = p.graph.shapeOf(norm).channels();
        p.add(new GroupNormApply(p.type(), ElementLowering.width(channels), NormNeighbours.hasSilu(p.graph.node(norm)))
                .call(in, factors, out, batch, positions, channels));
    }

    /** Leaves the statistics of some rows of a node's result, where norms need them and its own kernels have not left them. */
    static void statistics(ProgramBuilder p, int index, long rows, int firstRow, int count) {
        if (!p.norms.hasStatistics(index) || p.norms.isInEpilogue(index)) {
            return;
        }
        Shape shape = p.graph.shapeOf(index);
        p.add(new GroupNormStatistics(p.type(), ElementLowering.width(shape.channels()))
                .call(rows, p.statistics(index, firstRow), shape.batch(), count * shape.width(), shape.channels(), p.norms.slice(index)));
    }

    static void layerNorm(ProgramBuilder p, int index, Op.LayerNorm op) {
        Node node = p.graph.node(index);
        int channels = node.shape().channels();
        p.add(new LayerNorm(p.type(), ElementLowering.width(channels))
                .call(
                        p.result(node.inputs().get(0)),
                        p.weight(node.weights().get(0)),
                        p.weight(node.weights().get(1)),
                        p.result(index),
                        node.shape().rows(),
                        channels,
                        op.epsilon()));
        ElementLowering.postOps(p, index, 0);
    }
}
