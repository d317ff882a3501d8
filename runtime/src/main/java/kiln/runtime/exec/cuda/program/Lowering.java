package kiln.runtime.exec.cuda.program;

import java.util.Set;
import kiln.kernels.DataType;
import kiln.runtime.base.KilnException;
import kiln.runtime.exec.OpTable;
import kiln.runtime.exec.cuda.library.DeviceLibraries;
import kiln.runtime.graph.Fusion;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.Node;
import kiln.runtime.graph.Op;

/** Writes a graph as commands. Needs no card. */
public final class Lowering {
    private static final OpTable<ProgramBuilder> TABLE = OpTable.<ProgramBuilder>of("CUDA")
            .row(Op.Input.class, (p, node, op) -> {})
            .row(Op.Conv2d.class, (p, node, op) -> ProductLowering.product(p, node))
            .row(Op.Linear.class, (p, node, op) -> ProductLowering.product(p, node))
            .row(Op.LinearGeglu.class, (p, node, op) -> ProductLowering.product(p, node))
            .row(Op.GroupNorm.class, (p, node, op) -> NormLowering.groupNorm(p, node))
            .row(Op.LayerNorm.class, NormLowering::layerNorm)
            .row(Op.Attention.class, AttentionLowering::attention)
            .row(Op.Activation.class, (p, node, op) -> ElementLowering.activation(p, node, op.kind()))
            .row(Op.Prelu.class, (p, node, op) -> ElementLowering.prelu(p, node))
            .row(Op.Add.class, (p, node, op) -> ElementLowering.add(p, node))
            .row(Op.AddPerChannel.class, (p, node, op) -> ElementLowering.addPerChannel(p, node))
            .row(Op.Concat.class, (p, node, op) -> ElementLowering.concat(p, node))
            .row(Op.UpsampleNearest.class, (p, node, op) -> ElementLowering.upsample(p, node))
            .row(Op.WrapAround.class, (p, node, op) -> ElementLowering.wrapAround(p, node, op.width()))
            .row(Op.Embedding.class, (p, node, op) -> ElementLowering.embedding(p, node))
            .row(Op.TimestepEmbedding.class, (p, node, op) -> ElementLowering.timestepEmbedding(p, node))
            .build();

    private Lowering() {}

    /** The ops that there are kernels for. */
    public static Set<Class<? extends Op>> ops() {
        return TABLE.ops();
    }

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

    /** Convolutions without padding would be kernels that nobody has proven. */
    private static void requireProven(Graph graph) {
        for (Node node : graph.nodes()) {
            if (node.op() instanceof Op.Conv2d && graph.node(node.inputs().get(0)).op() instanceof Op.WrapAround) {
                throw KilnException.badRequest(
                        "seamless pictures (tiling) are not drawn on a graphics card yet: add --executor onednn to draw this one on the CPU");
            }
        }
    }

    private static ProgramBuilder whole(Graph graph, DeviceTarget target, DeviceLibraries libraries) {
        requireProven(graph);
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
        if (p.bands.isInBands(index)) {
            BandLowering.product(p, index);
        } else {
            TABLE.run(p, index, p.graph.node(index).op());
        }
    }
}
