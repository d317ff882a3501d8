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
 * {@code out[b, y, x, c] = in[b, ⌊y·height/outHeight⌋, ⌊x·width/outWidth⌋, c]}, for any pair of sizes.
 *
 * @param vectorWidth 1 or 4; channels are a multiple of it
 */
public record UpsampleNearest(DataType type, int vectorWidth) implements Kernel {
    private static final int THREADS = 256;

    public UpsampleNearest {
        Objects.requireNonNull(type, "type");
        Code.requireWidth(vectorWidth);
    }

    @Override
    public String name() {
        return "upsample_nearest";
    }

    @Override
    public String variant() {
        return type.label() + " x" + vectorWidth;
    }

    @Override
    public int threads() {
        return THREADS;
    }

    @Override
    public int registerBudget() {
        return 40;
    }

    public KernelCall call(long in, long out, int batch, int height, int width, int channels, int outHeight, int outWidth) {
        if (channels % vectorWidth != 0) {
            throw new IllegalArgumentException("upsampling x" + vectorWidth + ": " + channels + " channels");
        }
        int count = batch * outHeight * outWidth * channels;
        return new KernelCall(
                this, Code.blocks(count, THREADS * vectorWidth), in, out, count, height, width, channels, outHeight, outWidth);
    }

    @Override
    public String ptx() {
        PtxFunction f = Code.entry(this);
        Value in = f.parameter("in", PtxType.U64);
        Value out = f.parameter("out", PtxType.U64);
        Value count = f.parameter("count", PtxType.U32);
        Value height = f.parameter("height", PtxType.U32);
        Value width = f.parameter("width", PtxType.U32);
        Value channels = f.parameter("channels", PtxType.U32);
        Value outHeight = f.parameter("out_height", PtxType.U32);
        Value outWidth = f.parameter("out_width", PtxType.U32);
        Value index = f.mul(Code.globalThread(f, THREADS), Value.of(vectorWidth));
        f.when(Code.less(f, index, count), () -> {
            Value position = f.compute(PtxOp.DIV, index, channels);
            Value channel = f.sub(index, f.mul(position, channels));
            Value line = f.compute(PtxOp.DIV, position, outWidth);
            Value x = f.sub(position, f.mul(line, outWidth));
            Value picture = f.compute(PtxOp.DIV, line, outHeight);
            Value y = f.sub(line, f.mul(picture, outHeight));
            Value sourceY = f.compute(PtxOp.DIV, f.mul(y, height), outHeight);
            Value sourceX = f.compute(PtxOp.DIV, f.mul(x, width), outWidth);
            Value source = f.mad(f.mad(picture, height, sourceY), width, sourceX);
            Value address = f.address(in, f.mad(source, channels, channel), type.bytes());
            Value[] values = Code.loadFloats(f, Space.GLOBAL, type, vectorWidth, address, 0);
            Code.storeFloats(f, Space.GLOBAL, type, f.address(out, index, type.bytes()), 0, values);
        });
        return f.moduleText();
    }

    public float[] reference(float[] in, int batch, int height, int width, int channels, int outHeight, int outWidth) {
        float[] out = new float[batch * outHeight * outWidth * channels];
        for (int i = 0; i < out.length; i++) {
            int c = i % channels;
            int x = i / channels % outWidth;
            int y = i / channels / outWidth % outHeight;
            int b = i / channels / outWidth / outHeight;
            out[i] = in[((b * height + y * height / outHeight) * width + x * width / outWidth) * channels + c];
        }
        return out;
    }
}
