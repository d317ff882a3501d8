package kiln.kernels.op.product;

import kiln.kernels.op.Code;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxOp;
import kiln.kernels.ptx.Value;

/**
 * A matrix of results of which each thread does a few neighbours of one row: whole groups, which columns are a multiple of.
 *
 * @param row of this thread; may be beyond the last
 * @param column of its first result
 */
record ColumnGroups(Value row, Value column) {
    /** @param width of a group: 1, 2 or 4; two columns at least where an epilogue makes one of two */
    static void require(String what, int width, Epilogue epilogue) {
        if (width != 1 && width != 2 && width != 4 || epilogue.geglu() && width == 1) {
            throw new IllegalArgumentException(what + " of " + width + " columns, " + epilogue.label());
        }
    }

    /** The widest group that so many columns allow. */
    static int width(int columns, Epilogue epilogue) {
        return columns % FmaProduct.GROUP == 0 ? FmaProduct.GROUP : narrow(epilogue);
    }

    /** The narrowest group that an epilogue allows. */
    static int narrow(Epilogue epilogue) {
        return epilogue.geglu() ? 2 : 1;
    }

    /** @param threads of a block */
    static ColumnGroups of(PtxFunction f, int threads, Value columns, int width) {
        Value thread = Code.globalThread(f, threads);
        Value groups = f.compute(PtxOp.DIV, columns, Value.of(width));
        Value row = f.compute(PtxOp.DIV, thread, groups);
        return new ColumnGroups(row, f.mul(f.sub(thread, f.mul(row, groups)), Value.of(width)));
    }

    static int blocks(int rows, int columns, int width, int threads) {
        return Code.blocks((long) rows * (columns / width), threads);
    }
}
