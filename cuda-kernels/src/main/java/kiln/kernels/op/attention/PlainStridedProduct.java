package kiln.kernels.op.attention;

import kiln.kernels.DataType;
import kiln.kernels.op.Code;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxOp;
import kiln.kernels.ptx.PtxType;
import kiln.kernels.ptx.Space;
import kiln.kernels.ptx.Value;

/** {@link StridedProduct} in 32-bit floats: each of a block's 256 threads does 4 × 4 sums, in steps of 16. */
final class PlainStridedProduct extends StridedProduct {
    static final int THREADS = 256;
    /** Rows and columns of a thread, and elements of a load. */
    static final int EACH = 4;

    private static final int DEPTH = 16;
    private static final int ACROSS = 16;
    /** Padding moves steps to other banks. */
    private static final int LINE = SIDE + EACH;

    PlainStridedProduct(PtxFunction f, boolean vector) {
        super(f, vector);
    }

    @Override
    void emit(Factor left, Factor right, Value depth, Store store) {
        Value sharedLeft = f.shared("slice_left", DEPTH * LINE * Float.BYTES);
        Value sharedRight = f.shared("slice_right", DEPTH * LINE * Float.BYTES);
        Value firstRow = f.mul(f.special("%ctaid.x"), Value.of(SIDE));
        Value firstColumn = f.mul(f.special("%ctaid.y"), Value.of(SIDE));
        Value across = f.mul(f.and(thread, Value.of(ACROSS - 1)), Value.of(EACH));
        Value down = f.mul(f.compute(PtxOp.SHR, thread, Value.of(4)), Value.of(EACH));
        Value leftAt = f.mad(down, Value.of(Float.BYTES), sharedLeft);
        Value rightAt = f.mad(across, Value.of(Float.BYTES), sharedRight);
        Value[][] sums = new Value[EACH][EACH];
        for (Value[] row : sums) {
            for (int j = 0; j < EACH; j++) {
                row[j] = f.move(Value.of(0f));
            }
        }
        Value step = f.move(Value.of(0).as(PtxType.U32));
        Code.count(f, step, depth, Value.of(DEPTH), first -> {
            load(left, firstRow, first, depth, sharedLeft);
            load(right, firstColumn, first, depth, sharedRight);
            f.barrier();
            for (int k = 0; k < DEPTH; k++) {
                Value[] a = Code.loadFloats(f, Space.SHARED, DataType.F32, EACH, leftAt, k * LINE * Float.BYTES);
                Value[] b = Code.loadFloats(f, Space.SHARED, DataType.F32, EACH, rightAt, k * LINE * Float.BYTES);
                for (int i = 0; i < EACH; i++) {
                    for (int j = 0; j < EACH; j++) {
                        f.assign(sums[i][j], PtxOp.MAD, a[i], b[j], sums[i][j]);
                    }
                }
            }
            f.barrier();
        });
        Value row = f.add(firstRow, down);
        for (int i = 0; i < EACH; i++) {
            store.row(f.add(row, Value.of(i)), f.add(firstColumn, across), sums[i]);
        }
    }

    /** Loads this thread's four neighbours to {@code shared[step][line]}, zeros where there are none. */
    private void load(Factor factor, Value firstLine, Value firstStep, Value depth, Value shared) {
        int perRun = (factor.alongDepth() ? DEPTH : SIDE) / EACH;
        Value run = f.compute(PtxOp.SHR, thread, Value.of(Integer.numberOfTrailingZeros(perRun)));
        Value inRun = f.mul(f.and(thread, Value.of(perRun - 1)), Value.of(EACH));
        Value line = factor.alongDepth() ? run : inRun;
        Value step = factor.alongDepth() ? inRun : run;
        Value lineInAll = f.add(firstLine, line);
        Value stepInAll = f.add(firstStep, step);
        Value outer = factor.alongDepth() ? lineInAll : stepInAll;
        Value inner = factor.alongDepth() ? stepInAll : lineInAll;
        Value outerInRange = Code.less(f, outer, factor.alongDepth() ? factor.lines() : depth);
        Value innerEnd = factor.alongDepth() ? depth : factor.lines();
        Value begin = f.mad(f.mulWide(outer, factor.stride()), Value.ofLong(factor.type().bytes()), factor.address());
        Value address = f.address(begin, inner, factor.type().bytes());
        Value[] values = new Value[EACH];
        for (int i = 0; i < EACH; i++) {
            values[i] = f.move(Value.of(0f));
        }
        int unit = vector ? EACH : 1;
        for (int i = 0; i < EACH; i += unit) {
            Value at = i == 0 ? inner : f.add(inner, Value.of(i));
            Value[] loaded = vector ? values : new Value[] {values[i]};
            int offset = i * factor.type().bytes();
            f.guarded(
                    f.compute(PtxOp.AND, outerInRange, Code.less(f, at, innerEnd)),
                    () -> Code.loadFloats(f, Space.GLOBAL, factor.type(), address, offset, loaded));
        }
        Value target = f.mad(f.mad(step, Value.of(LINE), line), Value.of(Float.BYTES), shared);
        if (factor.alongDepth()) {
            for (int i = 0; i < EACH; i++) {
                f.store(Space.SHARED, target, i * LINE * Float.BYTES, values[i]);
            }
        } else {
            f.store(Space.SHARED, target, 0, values);
        }
    }
}
