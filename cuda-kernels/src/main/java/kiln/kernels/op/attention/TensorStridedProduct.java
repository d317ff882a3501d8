package kiln.kernels.op.attention;

import kiln.kernels.DataType;
import kiln.kernels.op.Arithmetic;
import kiln.kernels.op.Code;
import kiln.kernels.op.TensorCode;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxOp;
import kiln.kernels.ptx.PtxType;
import kiln.kernels.ptx.Space;
import kiln.kernels.ptx.Value;

/**
 * {@link StridedProduct} on tensor cores, f16 factors (f32 ones are rounded on their way to shared memory) and f32 sums: each of a block's
 * four warps does 32 × 32 sums, in steps of 32.
 */
final class TensorStridedProduct extends StridedProduct {
    static final int THREADS = 128;
    /** Elements of one load. */
    static final int UNIT = 8;

    private static final int DEPTH = 32;
    private static final int EIGHT = TensorCode.EIGHT;
    private static final int WARP_SIDE = 32;
    private static final int PARTS = WARP_SIDE / TensorCode.ROWS;
    private static final int COLUMN_EIGHTS = WARP_SIDE / EIGHT;
    private static final int WORDS = 4;
    private static final int UNITS_OF_THREAD = SIDE * DEPTH / UNIT / THREADS;

    private final Arithmetic arithmetic;

    TensorStridedProduct(PtxFunction f, Arithmetic arithmetic) {
        super(f, true);
        this.arithmetic = arithmetic;
    }

    /** How a factor's slice lies in shared memory: as in global memory, rows an odd number of 16 bytes apart. */
    private static int rowLength(Factor factor) {
        return factor.alongDepth() ? DEPTH : SIDE;
    }

    private static int rowBytes(Factor factor) {
        return (rowLength(factor) + UNIT) * TensorCode.HALF_BYTES;
    }

    private static int sliceBytes(Factor factor) {
        return SIDE * DEPTH / rowLength(factor) * rowBytes(factor);
    }

    @Override
    void emit(Factor left, Factor right, Value depth, Store store) {
        Value sharedLeft = f.shared("slice_left", sliceBytes(left));
        Value sharedRight = f.shared("slice_right", sliceBytes(right));
        Value firstRow = f.mul(f.special("%ctaid.x"), Value.of(SIDE));
        Value firstColumn = f.mul(f.special("%ctaid.y"), Value.of(SIDE));
        Value lane = f.and(thread, Value.of(Code.WARP - 1));
        Value warp = f.compute(PtxOp.SHR, thread, Value.of(5));
        Value warpRow = f.mul(f.compute(PtxOp.SHR, warp, Value.of(1)), Value.of(WARP_SIDE));
        Value warpColumn = f.mul(f.and(warp, Value.of(1)), Value.of(WARP_SIDE));
        Value leftAt = f.add(fragment(left, sharedLeft, lane), f.mul(warpRow, Value.of(rowBytes(left))));
        int perColumn = right.alongDepth() ? rowBytes(right) : TensorCode.HALF_BYTES;
        Value rightAt = f.add(fragment(right, sharedRight, lane), f.mul(warpColumn, Value.of(perColumn)));
        Value[][][] sums = TensorSoftmax.zeros(f, PARTS, COLUMN_EIGHTS);
        Value step = f.move(Value.of(0).as(PtxType.U32));
        Code.count(f, step, depth, Value.of(DEPTH), first -> {
            load(left, firstRow, first, depth, sharedLeft);
            load(right, firstColumn, first, depth, sharedRight);
            f.barrier();
            for (int k = 0; k < DEPTH / EIGHT; k += 2) {
                multiply(sums, left, right, leftAt, rightAt, k);
            }
            f.barrier();
        });
        Value row = f.add(f.add(firstRow, warpRow), f.compute(PtxOp.SHR, lane, Value.of(2)));
        Value column = f.add(f.add(firstColumn, warpColumn), f.mul(f.and(lane, Value.of(3)), Value.of(2)));
        for (int i = 0; i < PARTS; i++) {
            for (int half = 0; half < 2; half++) {
                Value rowOfHalf = f.add(row, Value.of(i * TensorCode.ROWS + half * EIGHT));
                for (int j = 0; j < COLUMN_EIGHTS; j++) {
                    Value[] pair = {sums[i][j][2 * half], sums[i][j][2 * half + 1]};
                    store.row(rowOfHalf, f.add(column, Value.of(j * EIGHT)), pair);
                }
            }
        }
    }

    /** Lane's address for two eights of shared rows, and of elements within them. */
    private Value fragment(Factor factor, Value shared, Value lane) {
        Value inRow = f.mad(f.compute(PtxOp.SHR, lane, Value.of(4)), Value.of(TensorCode.MATRIX_ROW_BYTES), shared);
        return f.mad(f.and(lane, Value.of(2 * EIGHT - 1)), Value.of(rowBytes(factor)), inRow);
    }

    private static int place(Factor factor, int rowEight, int eightInRow) {
        return rowEight * EIGHT * rowBytes(factor) + eightInRow * TensorCode.MATRIX_ROW_BYTES;
    }

    /** Adds the steps of two eights of the depth, {@code k} and the next. */
    private void multiply(Value[][][] sums, Factor left, Factor right, Value leftAt, Value rightAt, int k) {
        Value[][][] a = new Value[PARTS][][];
        for (int i = 0; i < PARTS; i++) {
            Value[] words = TensorCode.loadMatrices(f, 4, false, leftAt, place(left, 2 * i, k));
            a[i] = new Value[][] {{words[0], words[1]}, {words[2], words[3]}};
        }
        for (int j = 0; j < COLUMN_EIGHTS; j += 2) {
            Value[] b = right.alongDepth()
                    ? TensorCode.loadMatrices(f, 4, false, rightAt, place(right, j, k))
                    : TensorCode.loadMatrices(f, 4, true, rightAt, place(right, k, j));
            for (int u = 0; u < 2; u++) {
                Value[] column = right.alongDepth() ? new Value[] {b[u], b[2 + u]} : new Value[] {b[2 * u], b[2 * u + 1]};
                for (int i = 0; i < PARTS; i++) {
                    TensorCode.multiply(f, arithmetic, sums[i][j + u], a[i], 0, column);
                }
            }
        }
    }

    /** Loads this thread's units, zeros where there are none. */
    private void load(Factor factor, Value firstLine, Value firstStep, Value depth, Value shared) {
        int perRow = rowLength(factor) / UNIT;
        for (int i = 0; i < UNITS_OF_THREAD; i++) {
            Value place = f.add(thread, Value.of(i * THREADS));
            Value row = f.compute(PtxOp.SHR, place, Value.of(Integer.numberOfTrailingZeros(perRow)));
            Value inRow = f.mul(f.and(place, Value.of(perRow - 1)), Value.of(UNIT));
            Value outer = f.add(factor.alongDepth() ? firstLine : firstStep, row);
            Value inner = f.add(factor.alongDepth() ? firstStep : firstLine, inRow);
            Value inRange = f.compute(
                    PtxOp.AND,
                    Code.less(f, outer, factor.alongDepth() ? factor.lines() : depth),
                    Code.less(f, inner, factor.alongDepth() ? depth : factor.lines()));
            Value begin = f.mad(f.mulWide(outer, factor.stride()), Value.ofLong(factor.type().bytes()), factor.address());
            Value[] words = words(factor, f.address(begin, inner, factor.type().bytes()), inRange);
            Value target = f.mad(row, Value.of(rowBytes(factor)), f.mad(inRow, Value.of(TensorCode.HALF_BYTES), shared));
            f.store(Space.SHARED, target, 0, words);
        }
    }

    private Value[] words(Factor factor, Value address, Value inRange) {
        Value[] words = new Value[WORDS];
        if (factor.type() == DataType.F16) {
            for (int i = 0; i < WORDS; i++) {
                words[i] = f.move(Value.of(0).as(PtxType.B32));
            }
            f.guarded(inRange, () -> f.load(Space.GLOBAL, address, 0, words));
            return words;
        }
        for (int half = 0; half < 2; half++) {
            Value[] floats = new Value[UNIT / 2];
            for (int i = 0; i < floats.length; i++) {
                floats[i] = f.move(Value.of(0f));
            }
            int offset = half * floats.length * Float.BYTES;
            f.guarded(inRange, () -> f.load(Space.GLOBAL, address, offset, floats));
            words[2 * half] = TensorCode.pack(f, arithmetic, floats[0], floats[1]);
            words[2 * half + 1] = TensorCode.pack(f, arithmetic, floats[2], floats[3]);
        }
        return words;
    }
}
