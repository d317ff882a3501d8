package kiln.kernels.op;

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
 * Second part of group normalisation: from the slices' sums to one factor and one addend for each channel of each picture, {@code
 * factors[b, 0, c] = scale[c] / √(variance + epsilon)} and {@code factors[b, 1, c] = shift[c] − mean · factor}, in 32-bit floats.
 *
 * <p>One warp does a group. {@code type} is that of in, scale and shift.
 */
public record GroupNormScale(DataType type) implements Kernel {
    private static final int THREADS = 32;

    public GroupNormScale {
        Objects.requireNonNull(type, "type");
    }

    @Override
    public String name() {
        return "group_norm_scale";
    }

    @Override
    public String variant() {
        return type.label();
    }

    @Override
    public int threads() {
        return THREADS;
    }

    @Override
    public int registerBudget() {
        return 48;
    }

    /** @param in the tensor again: its groups' first elements are what the sums are relative to */
    public KernelCall call(
            long in,
            long partial,
            long scale,
            long shift,
            long factors,
            int batch,
            int positions,
            int channels,
            int groups,
            int slices,
            float epsilon) {
        int perGroup = channels / groups;
        return new KernelCall(
                this, batch * groups, in, partial, scale, shift, factors, positions, channels, groups, perGroup, slices, epsilon);
    }

    @Override
    public String ptx() {
        PtxModule module = new PtxModule(Code.FLOOR);
        PtxFunction f = module.entry(name(), THREADS, registerBudget());
        Value in = f.parameter("in", PtxType.U64);
        Value partial = f.parameter("partial", PtxType.U64);
        Value scale = f.parameter("scale", PtxType.U64);
        Value shift = f.parameter("shift", PtxType.U64);
        Value factors = f.parameter("factors", PtxType.U64);
        Value positions = f.parameter("positions", PtxType.U32);
        Value channels = f.parameter("channels", PtxType.U32);
        Value groups = f.parameter("groups", PtxType.U32);
        Value perGroup = f.parameter("channels_per_group", PtxType.U32);
        Value slices = f.parameter("slices", PtxType.U32);
        Value epsilon = f.parameter("epsilon", PtxType.F32);
        Value lane = f.special("%tid.x");
        Value row = f.special("%ctaid.x");
        Value picture = f.compute(PtxOp.DIV, row, groups);
        Value firstChannel = f.mul(f.sub(row, f.mul(picture, groups)), perGroup);
        Value sum = f.move(Value.of(0f));
        Value squares = f.move(Value.of(0f));
        Value sliceBegin = f.mul(row, slices);
        Code.count(f, f.move(lane), slices, Value.of(Code.WARP), slice -> {
            Value a = f.register(PtxType.F32);
            Value b = f.register(PtxType.F32);
            f.load(Space.GLOBAL, f.address(partial, f.add(sliceBegin, slice), 2 * Float.BYTES), 0, a, b);
            f.assign(sum, PtxOp.ADD, sum, a);
            f.assign(squares, PtxOp.ADD, squares, b);
        });
        Value count = f.convert(PtxType.F32, f.mul(positions, perGroup));
        Value distance = f.compute(PtxOp.DIV, Code.reduce(f, PtxOp.ADD, sum, Code.WARP), count);
        Value meanSquare = f.compute(PtxOp.DIV, Code.reduce(f, PtxOp.ADD, squares, Code.WARP), count);
        Value variance = f.compute(PtxOp.MAX, f.sub(meanSquare, f.mul(distance, distance)), Value.of(0f));
        Value inverse = f.compute(PtxOp.RSQRT, f.add(variance, epsilon));
        Value first = f.mad(f.mulWide(f.mul(picture, positions), channels), Value.ofLong(type.bytes()), in);
        Value origin = Code.loadFloats(f, Space.GLOBAL, type, 1, f.address(first, firstChannel, type.bytes()), 0)[0];
        Value mean = f.add(origin, distance);
        Value factorRow = f.mul(f.mul(picture, channels), Value.of(2));
        Code.count(f, f.move(lane), perGroup, Value.of(Code.WARP), c -> {
            Value channel = f.add(firstChannel, c);
            Value channelScale = Code.loadFloats(f, Space.GLOBAL, type, 1, f.address(scale, channel, type.bytes()), 0)[0];
            Value channelShift = Code.loadFloats(f, Space.GLOBAL, type, 1, f.address(shift, channel, type.bytes()), 0)[0];
            Value factor = f.mul(channelScale, inverse);
            Value addend = f.sub(channelShift, f.mul(mean, factor));
            Value address = f.address(factors, f.add(factorRow, channel), Float.BYTES);
            f.store(Space.GLOBAL, address, 0, factor);
            f.store(Space.GLOBAL, f.address(address, channels, Float.BYTES), 0, addend);
        });
        return module.text();
    }

    /** From the tensor itself, in doubles. */
    public float[] reference(float[] in, float[] scale, float[] shift, int batch, int positions, int groups, float epsilon) {
        int channels = scale.length;
        int perGroup = channels / groups;
        float[] out = new float[batch * 2 * channels];
        for (int row = 0; row < batch * groups; row++) {
            int picture = row / groups;
            int first = row % groups * perGroup;
            double mean = 0;
            double squares = 0;
            double count = (double) positions * perGroup;
            for (int pass = 0; pass < 2; pass++) {
                for (int p = 0; p < positions; p++) {
                    for (int c = 0; c < perGroup; c++) {
                        double x = in[(picture * positions + p) * channels + first + c];
                        if (pass == 0) {
                            mean += x / count;
                        } else {
                            squares += (x - mean) * (x - mean) / count;
                        }
                    }
                }
            }
            for (int c = first; c < first + perGroup; c++) {
                double factor = scale[c] / Math.sqrt(squares + epsilon);
                out[picture * 2 * channels + c] = (float) factor;
                out[(picture * 2 + 1) * channels + c] = (float) (shift[c] - mean * factor);
            }
        }
        return out;
    }
}
