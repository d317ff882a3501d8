package kiln.kernels.op;

import java.util.List;
import java.util.Objects;
import kiln.kernels.DataType;
import kiln.kernels.Kernel;
import kiln.kernels.KernelCall;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxModule;
import kiln.kernels.ptx.PtxOp;
import kiln.kernels.ptx.PtxType;
import kiln.kernels.ptx.Space;
import kiln.kernels.ptx.Value;

/**
 * {@code out[b, column, row] = in[b, row, column]}: values for the full-matrix attention, whose second product wants them along the keys.
 *
 * <p>A block turns a square of 32 through shared memory, so that both sides are read and written along their rows.
 */
public record Transpose(DataType type) implements Kernel {
    private static final int SIDE = 32;
    /** One more than the side: a column's elements lie in different banks. */
    private static final int STRIDE = SIDE + 1;

    private static final int ROWS_AT_ONCE = 8;

    public Transpose {
        Objects.requireNonNull(type, "type");
    }

    @Override
    public String name() {
        return "transpose";
    }

    @Override
    public String variant() {
        return type.label();
    }

    @Override
    public int threads() {
        return SIDE * ROWS_AT_ONCE;
    }

    @Override
    public int registerBudget() {
        return 40;
    }

    /**
     * @param inStride elements from row to row of in, which may be a slice of a wider tensor; batches are {@code rows · inStride} apart
     */
    public KernelCall call(long in, long out, int batch, int rows, int columns, int inStride) {
        return new KernelCall(
                this, Code.blocks(rows, SIDE), Code.blocks(columns, SIDE), batch, List.of(in, out, rows, columns, inStride));
    }

    @Override
    public String ptx() {
        PtxModule module = new PtxModule(Code.FLOOR);
        PtxFunction f = module.entry(name(), threads(), registerBudget());
        Value in = f.parameter("in", PtxType.U64);
        Value out = f.parameter("out", PtxType.U64);
        Value rows = f.parameter("rows", PtxType.U32);
        Value columns = f.parameter("columns", PtxType.U32);
        Value inStride = f.parameter("in_stride", PtxType.U32);
        Value square = f.shared("square", SIDE * STRIDE * Float.BYTES);
        Value thread = f.special("%tid.x");
        Value across = f.and(thread, Value.of(SIDE - 1));
        Value down = f.compute(PtxOp.SHR, thread, Value.of(5));
        Value firstRow = f.mul(f.special("%ctaid.x"), Value.of(SIDE));
        Value firstColumn = f.mul(f.special("%ctaid.y"), Value.of(SIDE));
        Value picture = f.special("%ctaid.z");
        Value inBegin = f.mad(f.mulWide(f.mul(picture, rows), inStride), Value.ofLong(type.bytes()), in);
        Value outBegin = f.mad(f.mulWide(f.mul(picture, columns), rows), Value.ofLong(type.bytes()), out);
        Value column = f.add(firstColumn, across);
        for (int i = 0; i < SIDE; i += ROWS_AT_ONCE) {
            Value line = f.add(down, Value.of(i));
            Value row = f.add(firstRow, line);
            Value inside = f.compute(PtxOp.AND, Code.less(f, row, rows), Code.less(f, column, columns));
            f.when(inside, () -> {
                Value address = f.address(inBegin, f.mad(row, inStride, column), type.bytes());
                Value x = Code.loadFloats(f, Space.GLOBAL, type, 1, address, 0)[0];
                f.store(Space.SHARED, f.mad(f.mad(line, Value.of(STRIDE), across), Value.of(Float.BYTES), square), 0, x);
            });
        }
        f.barrier();
        Value outColumn = f.add(firstRow, across);
        for (int i = 0; i < SIDE; i += ROWS_AT_ONCE) {
            Value line = f.add(down, Value.of(i));
            Value outRow = f.add(firstColumn, line);
            Value inside = f.compute(PtxOp.AND, Code.less(f, outRow, columns), Code.less(f, outColumn, rows));
            f.when(inside, () -> {
                Value place = f.mad(f.mad(across, Value.of(STRIDE), line), Value.of(Float.BYTES), square);
                Value x = f.load(Space.SHARED, PtxType.F32, place, 0);
                Code.storeFloats(f, Space.GLOBAL, type, f.address(outBegin, f.mad(outRow, rows, outColumn), type.bytes()), 0, x);
            });
        }
        return module.text();
    }

    public float[] reference(float[] in, int batch, int rows, int columns, int inStride) {
        float[] out = new float[batch * rows * columns];
        for (int i = 0; i < out.length; i++) {
            int row = i % rows;
            int column = i / rows % columns;
            int picture = i / rows / columns;
            out[i] = in[(picture * rows + row) * inStride + column];
        }
        return out;
    }
}
