package kiln.runtime.exec.cuda;

import kiln.kernels.op.GroupNormApply;
import kiln.kernels.op.GroupNormScale;
import kiln.kernels.op.GroupNormStatistics;
import kiln.kernels.op.LayerNorm;
import kiln.runtime.graph.Node;
import kiln.runtime.graph.Op;
import kiln.runtime.graph.PostOp;
import kiln.runtime.graph.Shape;

/** Normalisations. */
final class NormLowering {
    /** So many elements of a group are summed by one block; more are cut into slices. */
    private static final int ELEMENTS_PER_SLICE = 8192;

    /** Sums and sums of squares: two 32-bit floats for each slice. */
    private static final int PARTIAL_BYTES = 2 * Float.BYTES;

    private NormLowering() {}

    static int slices(int positions, int channelsPerGroup) {
        long elements = (long) positions * channelsPerGroup;
        return (int) Math.max(1, Math.min(positions, (elements + ELEMENTS_PER_SLICE - 1) / ELEMENTS_PER_SLICE));
    }

    static void groupNorm(ProgramBuilder p, int index, Op.GroupNorm op) {
        Node node = p.graph.node(index);
        Shape shape = node.shape();
        int channels = shape.channels();
        int slices = slices(shape.positions(), channels / op.groups());
        long in = p.result(node.inputs().get(0));
        long partial = p.work((long) shape.batch() * op.groups() * slices * PARTIAL_BYTES);
        long factors = p.work(2L * shape.batch() * channels * Float.BYTES);
        p.add(new GroupNormStatistics(p.type()).call(in, partial, shape.batch(), shape.positions(), channels, op.groups(), slices));
        p.add(new GroupNormScale(p.type())
                .call(
                        in,
                        partial,
                        p.weight(node.weights().get(0)),
                        p.weight(node.weights().get(1)),
                        factors,
                        shape.batch(),
                        shape.positions(),
                        channels,
                        op.groups(),
                        slices,
                        op.epsilon()));
        boolean silu = !node.postOps().isEmpty() && node.postOps().get(0).kind() == PostOp.Kind.SILU;
        p.add(new GroupNormApply(p.type(), ElementLowering.width(channels), silu)
                .call(in, factors, p.result(index), shape.batch(), shape.positions(), channels));
        ElementLowering.postOps(p, index, silu ? 1 : 0);
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
