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

    private static int slices(Node norm) {
        int positions = norm.shape().positions();
        long elements = (long) positions * norm.shape().channels() / ((Op.GroupNorm) norm.op()).groups();
        return (int) Math.max(1, Math.min(positions, (elements + ELEMENTS_PER_SLICE - 1) / ELEMENTS_PER_SLICE));
    }

    /** Of a group norm's statistics. */
    static int positionsPerSlice(Node norm) {
        return GroupNormStatistics.positionsPerSlice(norm.shape().positions(), slices(norm));
    }

    private static boolean hasSilu(Node norm) {
        return !norm.postOps().isEmpty() && norm.postOps().get(0).kind() == PostOp.Kind.SILU;
    }

    /** Whether one kernel applies all of a group norm, what follows it included. */
    static boolean isAllInOne(Node norm) {
        return norm.postOps().size() == (hasSilu(norm) ? 1 : 0);
    }

    static void groupNorm(ProgramBuilder p, int index) {
        Node node = p.graph.node(index);
        long in = p.result(node.inputs().get(0));
        Factors factors = Factors.of(p, index);
        factors.sum(in);
        factors.finish(in);
        factors.apply(in, p.result(index), node.shape().batch(), node.shape().positions());
        ElementLowering.postOps(p, index, hasSilu(node) ? 1 : 0);
    }

    /**
     * What a group norm multiplies each channel by and adds to it, on its way from the map's sums.
     *
     * @param partial address of the slices' sums
     * @param factors address of the result
     */
    record Factors(ProgramBuilder p, Node norm, int slices, long partial, long factors) {
        /** Takes the work memory for it. */
        static Factors of(ProgramBuilder p, int index) {
            Node norm = p.graph.node(index);
            int slices = NormLowering.slices(norm);
            int batch = norm.shape().batch();
            long partial = p.work((long) batch * ((Op.GroupNorm) norm.op()).groups() * slices * PARTIAL_BYTES);
            return new Factors(p, norm, slices, partial, p.work(2L * batch * norm.shape().channels() * Float.BYTES));
        }

        private int groups() {
            return ((Op.GroupNorm) norm.op()).groups();
        }

        /** Sums over all slices. */
        void sum(long in) {
            Shape shape = norm.shape();
            p.add(new GroupNormStatistics(p.type()).call(in, partial, shape.batch(), shape.positions(), shape.channels(), groups(), slices));
        }

        /** Sums over some slices, of which the first begins at {@code in}. */
        void sumSlices(long in, long firstPosition, int firstSlice, int count) {
            Shape shape = norm.shape();
            p.add(new GroupNormStatistics(p.type())
                    .callSlices(in, firstPosition, partial, shape.positions(), shape.channels(), groups(), slices, firstSlice, count));
        }

        /** @param firstPosition address of the map, of which the first position of each picture is read */
        void finish(long firstPosition) {
            Shape shape = norm.shape();
            p.add(new GroupNormScale(p.type())
                    .call(
                            firstPosition,
                            partial,
                            p.weight(norm.weights().get(0)),
                            p.weight(norm.weights().get(1)),
                            factors,
                            shape.batch(),
                            shape.positions(),
                            shape.channels(),
                            groups(),
                            slices,
                            ((Op.GroupNorm) norm.op()).epsilon()));
        }

        /** Normalises, and applies SiLU where it follows; {@code out} may be {@code in}. */
        void apply(long in, long out, int batch, int positions) {
            int channels = norm.shape().channels();
            p.add(new GroupNormApply(p.type(), ElementLowering.width(channels), hasSilu(norm))
                    .call(in, factors, out, batch, positions, channels));
        }
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
