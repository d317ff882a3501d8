package kiln.kernels.op.attention;

import java.util.ArrayList;
import java.util.List;
import kiln.kernels.Kernel;
import kiln.kernels.KernelCall;
import kiln.kernels.op.Code;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxType;
import kiln.kernels.ptx.Value;

/**
 * What the kernels of an attention with a stored matrix are told behind their addresses, and the blocks that they take: one for each tile
 * of a {@link StridedProduct} and head of the slice.
 */
final class SliceParameters {
    final Value queries;
    final Value keys;
    final Value firstStride;
    final Value secondStride;
    final Value headSize;
    final Value firstQuery;
    final Value sliceQueries;
    private final Value heads;
    private final Value firstHead;

    /** Declares them under their names; those of the strides differ. */
    SliceParameters(PtxFunction f, String firstStride, String secondStride) {
        queries = f.parameter("queries", PtxType.U32);
        keys = f.parameter("keys", PtxType.U32);
        this.firstStride = f.parameter(firstStride, PtxType.U32);
        this.secondStride = f.parameter(secondStride, PtxType.U32);
        heads = f.parameter("heads", PtxType.U32);
        headSize = f.parameter("head_size", PtxType.U32);
        firstHead = f.parameter("first_head", PtxType.U32);
        firstQuery = f.parameter("first_query", PtxType.U32);
        sliceQueries = f.parameter("slice_queries", PtxType.U32);
    }

    /** To be asked for behind the last parameter. */
    HeadPlace place(PtxFunction f) {
        return new HeadPlace(f, firstHead, heads, headSize);
    }

    /** The arguments in the parameters' order, behind the addresses. */
    static List<Object> arguments(
            List<Long> addresses, AttentionShape shape, int firstStride, int secondStride, int headSize, AttentionSlice slice) {
        List<Object> arguments = new ArrayList<>(addresses);
        arguments.addAll(List.of(
                shape.queries(),
                shape.keys(),
                firstStride,
                secondStride,
                shape.heads(),
                headSize,
                slice.firstHead(),
                slice.firstQuery(),
                slice.queries()));
        return arguments;
    }

    /** @param columns of the product of one head */
    static KernelCall call(Kernel kernel, AttentionSlice slice, int columns, List<Object> arguments) {
        int rowTiles = Code.blocks(slice.queries(), StridedProduct.SIDE);
        return new KernelCall(kernel, rowTiles, Code.blocks(columns, StridedProduct.SIDE), slice.heads(), arguments);
    }
}
