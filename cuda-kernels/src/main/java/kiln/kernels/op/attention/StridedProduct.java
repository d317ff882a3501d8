package kiln.kernels.op.attention;

import kiln.kernels.DataType;
import kiln.kernels.op.Arithmetic;
import kiln.kernels.op.Code;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxOp;
import kiln.kernels.ptx.Space;
import kiln.kernels.ptx.Value;

/**
 * The text of a tiled product of two strided matrices: a block does 64 × 64 sums. blockIdx.x counts row tiles, blockIdx.y column tiles.
 */
abstract class StridedProduct {
    static final int SIDE = 64;

    final PtxFunction f;
    final boolean vector;
    final Value thread;

    StridedProduct(PtxFunction f, boolean vector) {
        this.f = f;
        this.vector = vector;
        thread = f.special("%tid.x");
    }

    /**
     * The one that multiplies by {@code arithmetic}.
     *
     * @param vector whether depth, strides and, where a factor's neighbours are lines, lines are multiples of {@link #unit}; tensor cores
     *     need it
     */
    static StridedProduct of(PtxFunction f, Arithmetic arithmetic, boolean vector) {
        return arithmetic.isTensor() ? new TensorStridedProduct(f, arithmetic) : new PlainStridedProduct(f, vector);
    }

    /** Elements of one load. */
    static int unit(Arithmetic arithmetic) {
        return arithmetic.isTensor() ? TensorStridedProduct.UNIT : PlainStridedProduct.EACH;
    }

    static int threads(Arithmetic arithmetic) {
        return arithmetic.isTensor() ? TensorStridedProduct.THREADS : PlainStridedProduct.THREADS;
    }

    static int registerBudget(Arithmetic arithmetic) {
        return arithmetic.isTensor() ? 128 : 80;
    }

    /** What distinguishes the texts of one kernel. */
    static String label(DataType type, Arithmetic arithmetic, boolean vector) {
        return type.label() + (arithmetic.isTensor() ? " " + arithmetic.label() : vector ? " vector" : " any");
    }

    static void require(DataType type, Arithmetic arithmetic, boolean vector) {
        if (arithmetic.isTensor() && (type != DataType.F16 || !vector)) {
            throw new IllegalArgumentException("tensor cores take f16 with vectors, not " + type.label() + (vector ? "" : " of any size"));
        }
    }

    /**
     * One factor.
     *
     * @param lines rows of the left factor, columns of the right one
     * @param alongDepth whether neighbours in memory are neighbouring steps of the sum, and {@code stride} leads to the next line; else
     *     neighbours are neighbouring lines, and {@code stride} leads to the next step
     */
    record Factor(DataType type, Value address, Value stride, Value lines, boolean alongDepth) {}

    /** Takes neighbouring sums of a row from {@code column} on; rows and columns may be beyond the last. */
    interface Store {
        void row(Value row, Value column, Value[] sums);
    }

    /** @param left along the depth */
    abstract void emit(Factor left, Factor right, Value depth, Store store);

    /** Stores a row's sums up to {@code columns}, from {@code line} on. */
    final void storeRow(DataType type, Value line, Value inRange, Value column, Value columns, Value[] sums) {
        Value address = f.address(line, column, type.bytes());
        int together = vector ? sums.length : 1;
        for (int i = 0; i < sums.length; i += together) {
            Value at = i == 0 ? column : f.add(column, Value.of(i));
            Value[] stored = vector ? sums : new Value[] {sums[i]};
            int offset = i * type.bytes();
            f.guarded(
                    f.compute(PtxOp.AND, inRange, Code.less(f, at, columns)),
                    () -> Code.storeFloats(f, Space.GLOBAL, type, address, offset, stored));
        }
    }
}
