package kiln.runtime.exec.cuda;

import kiln.kernels.DataType;
import kiln.runtime.graph.Fusion;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.Node;
import kiln.runtime.graph.Op;

/** Writes a graph as commands. Needs no card. */
final class Lowering {
    private Lowering() {}

    /** With Kiln's own kernels only. */
    static DeviceProgram lower(Graph unfused, DeviceTarget target) {
        return lower(unfused, target, DeviceLibraries.none());
    }

    /**
     * @param unfused as a model builds it
     * @param libraries that may compute products
     */
    static DeviceProgram lower(Graph unfused, DeviceTarget target, DeviceLibraries libraries) {
        Graph graph = Fusion.fuse(unfused);
        ProgramBuilder program = new ProgramBuilder(graph, target, libraries);
        for (int i = 0; i < graph.nodes().size(); i++) {
            lower(program, i);
            program.endNode(i);
        }
        return program.build();
    }

    /** Exact inputs are 32-bit whatever the rest is. */
    static DataType typeOf(Node node, DataType type) {
        return node.op() instanceof Op.Input input && input.exact() ? DataType.F32 : type;
    }

    private static void lower(ProgramBuilder p, int index) {
        Op op = p.graph.node(index).op();
        if (op instanceof Op.Conv2d convolution) {
            ProductLowering.convolution(p, index, convolution);
        } else if (op instanceof Op.Linear) {
            ProductLowering.linear(p, index);
        } else if (op instanceof Op.LinearGeglu) {
            ProductLowering.geglu(p, index);
        } else if (op instanceof Op.GroupNorm norm) {
            NormLowering.groupNorm(p, index, norm);
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
