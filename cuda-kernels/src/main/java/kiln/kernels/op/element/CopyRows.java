package kiln.kernels.op.element;

import java.util.Objects;
import kiln.kernels.DataType;
import kiln.kernels.Kernel;
import kiln.kernels.KernelCall;
import kiln.kernels.op.Code;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxOp;
import kiln.kernels.ptx.PtxType;
import kiln.kernels.ptx.Space;
import kiln.kernels.ptx.Value;

/**
 * {@code out[row, c] = in[row, c]} in another format or with other strides: a cast, a slice, or one part of a concatenation.
 *
 * @param width 1 or 4; columns and strides are multiples of it
 */
public record CopyRows(DataType from, DataType to, int width) implements Kernel {
    private static final int THREADS = 256;

    public CopyRows {
        Objects.requireNonNull(from, "from");
        Objects.requireNonNull(to, "to");
        Code.requireWidth(width);
    }

    @Override
    public String name() {
        return "copy";
    }

    @Override
    public String variant() {
        return from.label() + " to " + to.label() + " x" + width;
    }

    @Override
    public int threads() {
        return THREADS;
    }

    @Override
    public int registerBudget() {
        return 32;
    }

    public KernelCall call(long in, long out, int rows, int columns, int inStride, int outStride) {
        if ((columns | inStride | outStride) % width != 0) {
            throw new IllegalArgumentException("copy x" + width + ": " + columns + " columns, strides " + inStride + " and " + outStride);
        }
        return new KernelCall(
                this, Code.blocks((long) rows * columns, THREADS * width), in, out, Math.multiplyExact(rows, columns), columns, inStride, outStride);
    }

    @Override
    public String ptx() {
        PtxFunction f = Code.entry(this);
        Value in = f.parameter("in", PtxType.U64);
        Value out = f.parameter("out", PtxType.U64);
        Value count = f.parameter("count", PtxType.U32);
        Value columns = f.parameter("columns", PtxType.U32);
        Value inStride = f.parameter("in_stride", PtxType.U32);
        Value outStride = f.parameter("out_stride", PtxType.U32);
        Value index = f.mul(Code.globalThread(f, THREADS), Value.of(width));
        f.when(Code.less(f, index, count), () -> {
            Value row = f.compute(PtxOp.DIV, index, columns);
            Value column = f.sub(index, f.mul(row, columns));
            Value source = f.address(in, f.mad(row, inStride, column), from.bytes());
            Value target = f.address(out, f.mad(row, outStride, column), to.bytes());
            Code.storeFloats(f, Space.GLOBAL, to, target, 0, Code.loadFloats(f, Space.GLOBAL, from, width, source, 0));
        });
        return f.moduleText();
    }

    /** Rows adjacent in the result. */
    public float[] reference(float[] in, int rows, int columns, int inStride) {
        float[] out = new float[rows * columns];
        for (int row = 0; row < rows; row++) {
            System.arraycopy(in, row * inStride, out, row * columns, columns);
        }
        return out;
    }
}
