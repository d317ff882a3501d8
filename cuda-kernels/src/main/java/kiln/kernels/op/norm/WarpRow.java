package kiln.kernels.op.norm;

import java.util.function.Consumer;
import kiln.kernels.DataType;
import kiln.kernels.op.Code;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxOp;
import kiln.kernels.ptx.Space;
import kiln.kernels.ptx.Value;

/**
 * Text of kernels in which a warp does a row, its lanes side by side along it.
 *
 * @param width neighbouring elements of a lane
 * @param row of the warp; may be beyond the last
 */
record WarpRow(PtxFunction f, DataType type, int width, Value row, Value lane) {
    static final int THREADS = 128;

    static WarpRow of(PtxFunction f, DataType type, int width) {
        Value thread = Code.globalThread(f, THREADS);
        Value row = f.compute(PtxOp.SHR, thread, Value.of(5));
        return new WarpRow(f, type, width, row, f.and(thread, Value.of(Code.WARP - 1)));
    }

    static int blocks(int rows) {
        return Code.blocks(rows, THREADS / Code.WARP);
    }

    /** Does {@code body} for each of the lane's first columns. */
    void each(Value columns, Consumer<Value> body) {
        Code.count(f, f.mul(lane, Value.of(width)), columns, Value.of(Code.WARP * width), body);
    }

    Value[] load(Value base, Value index) {
        return Code.loadFloats(f, Space.GLOBAL, type, width, f.address(base, index, type.bytes()), 0);
    }

    void store(Value base, Value index, Value[] values) {
        Code.storeFloats(f, Space.GLOBAL, type, f.address(base, index, type.bytes()), 0, values);
    }
}
