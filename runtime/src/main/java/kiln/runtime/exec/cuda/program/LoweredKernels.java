package kiln.runtime.exec.cuda.program;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import kiln.kernels.DataType;
import kiln.kernels.Kernel;
import kiln.kernels.op.Card;
import kiln.kernels.op.product.ApplyEpilogue;
import kiln.kernels.op.product.Epilogue;
import kiln.runtime.base.AttentionKind;
import kiln.runtime.graph.Fusion;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.Node;

/** Which kernels a graph runs on a card, found by lowering it. */
public final class LoweredKernels {
    /** What matrices are in; their results are in 16 bits, or in 32 where those were not-a-number in 16. */
    private static final List<DataType> HALVES_AND_BYTES = List.of(DataType.F16, DataType.I8);

    private static final List<AttentionKind> SLICED = List.of(AttentionKind.SPLIT, AttentionKind.SPLIT_V1, AttentionKind.WHOLE);

    private LoweredKernels() {}

    /** In every format of results and weights that can be asked for. */
    public static Set<Kernel> inAllFormats(Graph unfused, Card card) {
        Set<Kernel> kernels = new LinkedHashSet<>();
        for (DataType matrices : HALVES_AND_BYTES) {
            DeviceTarget target = new DeviceTarget(card, DataType.F16, matrices);
            kernels.addAll(Lowering.lower(unfused, target).kernels());
            kernels.addAll(Lowering.lower(unfused, target.upcast()).kernels());
        }
        kernels.addAll(Lowering.lower(unfused, wide(card)).kernels());
        return kernels;
    }

    /** With attention in slices of every kind. */
    public static Set<Kernel> inSlices(Graph unfused, Card card) {
        Set<Kernel> kernels = new LinkedHashSet<>();
        for (AttentionKind kind : SLICED) {
            for (DataType type : DataType.FLOATS) {
                DeviceTarget target = new DeviceTarget(card, type, type, new AttentionChoice(kind, 0));
                kernels.addAll(Lowering.lower(unfused, target).kernels());
            }
        }
        return kernels;
    }

    /** What follows the products that a library may compute. */
    public static Set<Kernel> behindLibraries(Graph unfused) {
        Set<Kernel> kernels = new LinkedHashSet<>();
        for (Node node : Fusion.fuse(unfused).nodes()) {
            if (ProductLowering.isProduct(node.op())) {
                Epilogue epilogue = ProductLowering.epilogue(node);
                if (!epilogue.equals(Epilogue.NONE)) {
                    int columns = node.shape().channels() * (epilogue.geglu() ? 2 : 1);
                    DataType.FLOATS.forEach(type -> kernels.add(ApplyEpilogue.of(type, epilogue, columns)));
                }
            }
        }
        return kernels;
    }

    /** A network's kernels on a card, and those that they become for other sizes and for cards of the same capability. */
    public static Set<Kernel> inOtherSizes(Set<Kernel> kernels) {
        return ProductVariants.of(kernels);
    }

    private static DeviceTarget wide(Card card) {
        return new DeviceTarget(card, DataType.F32, DataType.F32);
    }
}
