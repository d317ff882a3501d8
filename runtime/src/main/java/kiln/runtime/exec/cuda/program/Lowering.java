package kiln.runtime.exec.cuda.program;

import kiln.kernels.DataType;
import kiln.runtime.exec.cuda.library.DeviceLibraries;
import kiln.runtime.graph.Fusion;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.Node;
import kiln.runtime.graph.Op;

/** Writes a graph as commands. Needs no card. */
public final class Lowering {
    private Lowering() {}

    /** With Kiln's own kernels only. */
    public static DeviceProgram lower(Graph unfused, DeviceTarget target) {
        return lower(unfused, target, DeviceLibraries.none());
    }

    /**
     * @param unfused as a model builds it
     * @param libraries that may compute products
     */
    public static DeviceProgram lower(Graph unfused, DeviceTarget target, DeviceLibraries libraries) {
        return whole(Fusion.fuse(unfused), target, libraries).build();
    }

    /**
     * With Kiln's own kernels in an arena of no more than so many bytes: what has no room there lies on the host and is computed in bands.
     * Gives the same results to the bit.
     *
     * @param unfused as a model builds it
     * @return a program that needs more than the limit when it cannot be done
     */
    public static DeviceProgram lower(Graph unfused, DeviceTarget target, long limitBytes) {
        Graph graph = Fusion.fuse(unfused);
        ProgramBuilder whole = whole(graph, target, DeviceLibraries.none());
        if (whole.build().arenaBytes() <= limitBytes) {
            return whole.build();
        }
        return written(new ProgramBuilder(graph, target, whole.products, whole.norms, BandPlan.within(limitBytes, whole))).build();
    }

    /** The smallest arena that is worth trying in {@link #lower(Graph, DeviceTarget, long)}. */
    static long leastArenaBytes(Graph unfused, DeviceTarget target) {
        ProgramBuilder whole = whole(Fusion.fuse(unfused), target, DeviceLibraries.none());
        return Math.min(whole.build().arenaBytes(), BandPlan.leastBytes(whole));
    }

    private static ProgramBuilder whole(Graph graph, DeviceTarget target, DeviceLibraries libraries) {
        NormNeighbours neighbours = new NormNeighbours(graph);
        ProductChoice products = new ProductChoice(graph, target, libraries, neighbours);
        NormFusion norms = new NormFusion(graph, neighbours, products);
        return written(new ProgramBuilder(graph, target, products, norms, BandPlan.least(graph, target.type(), norms)));
    }

    private static ProgramBuilder written(ProgramBuilder program) {
        for (int i = 0; i < program.graph.nodes().size(); i++) {
            lower(program, i);
            if (!program.bands.isInBands(i)) {
                NormLowering.statistics(program, i, program.result(i), 0, program.graph.shapeOf(i).height());
            }
            program.endNode();
        }
        return program;
    }

    /** Exact inputs are 32-bit whatever the rest is. */
    static DataType typeOf(Node node, DataType type) {
        return node.op() instanceof Op.Input input && input.exact() ? DataType.F32 : type;
    }

    private static void lower(ProgramBuilder p, int index) {
        Op op = p.graph.node(index).op();
        if (p.bands.isInBands(index)) {
            BandLowering.product(p, index);
        } else if (ProductLowering.isProduct(op)) {
            ProductLowering.product(p, index);
        } else if (op instanceof Op.GroupNorm) {
            NormLowering.groupNorm(p, index);
        } else if (op instanceof Op.LayerNorm norm) {
            NormLowering.layerNorm(p, index, norm);
        } else if (op instanceof Op.Attention attention) {
            AttentionLowering.attention(p, index, attention);
        } else if (op instanceof Op.Activation activation) {
            ElementLowering.activation(p, index, activation.kind());
        } else if (op instanceof Op.Add) {
            ElementLowering.add(p, index);
        } else if (op instanceof Op.AddPerChannel) {
            ElementLowering.addPerChannel(p, index);
        } else if (op instanceof Op.Concat) {
            ElementLowering.concat(p, index);
        } else if (op instanceof Op.UpsampleNearest) {
            ElementLowering.upsample(p, index);
        } else if (op instanceof Op.Embedding) {
            ElementLowering.embedding(p, index);
        } else if (op instanceof Op.TimestepEmbedding) {
            ElementLowering.timestepEmbedding(p, index);
        } else if (!(op instanceof Op.Input)) {
            throw new IllegalArgumentException("CUDA executor: no kernel for " + op);
        }
    }
}
