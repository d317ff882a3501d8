package kiln.kernels.op.norm;

import java.math.BigInteger;
import java.util.List;
import java.util.Objects;
import kiln.kernels.DataType;
import kiln.kernels.Kernel;
import kiln.kernels.KernelCall;
import kiln.kernels.op.Code;
import kiln.kernels.op.ColumnStatistics;
import kiln.kernels.op.product.Epilogue;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxOp;
import kiln.kernels.ptx.PtxType;
import kiln.kernels.ptx.Space;
import kiln.kernels.ptx.Value;

/**
 * A map's statistics for group normalisation, where no product's epilogue left them ({@link Epilogue.Step#STATISTICS}): {@code
 * statistics[b, slice, channel] = (mean, M2)} in 32-bit floats, M2 = Σ (x − mean)² over the slice's positions.
 *
 * <p>Sums are of the distances from the slice's first value, which keeps the digits that a large mean would take: as that is one of the
 * values, no more than a slice's length is lost when the squares are moved to the mean. The order of sums is fixed and a slice depends on
 * its positions only, so that some neighbouring rows of a map, called as a map of their own, give their slices to the bit.
 *
 * @param width neighbouring channels of a thread, 1 or 4; channels are a multiple of it
 */
public record GroupNormStatistics(DataType type, int width) implements Kernel {
    private static final int WARPS = 8;
    private static final int THREADS = WARPS * Code.WARP;

    public GroupNormStatistics {
        Objects.requireNonNull(type, "type");
        Code.requireWidth(width);
    }

    /** How many slices one picture has. */
    public static int slices(int positions, int perSlice) {
        return Code.blocks(positions, perSlice);
    }

    /** The fewest rows of a map that are whole slices. */
    public static int rowsOfSlices(int width, int perSlice) {
        return perSlice / BigInteger.valueOf(width).gcd(BigInteger.valueOf(perSlice)).intValue();
    }

    @Override
    public String name() {
        return "group_norm_statistics";
    }

    @Override
    public String variant() {
        return type.label() + " x" + width;
    }

    @Override
    public int threads() {
        return THREADS;
    }

    @Override
    public int registerBudget() {
        return 64;
    }

    /**
     * @param in {@code [batch, positions, channels]}
     * @param perSlice positions of a slice; the last one of a picture may have fewer
     */
    public KernelCall call(long in, long statistics, int batch, int positions, int channels, int perSlice) {
        if (channels % width != 0) {
            throw new IllegalArgumentException("group norm statistics " + variant() + ": " + channels + " channels");
        }
        return new KernelCall(
                this,
                slices(positions, perSlice),
                Code.blocks(channels, Code.WARP * width),
                batch,
                List.of(in, statistics, positions, channels, perSlice));
    }

    @Override
    public String ptx() {
        PtxFunction f = Code.entry(this);
        Value in = f.parameter("in", PtxType.U64);
        Value statistics = f.parameter("statistics", PtxType.U64);
        Value positions = f.parameter("positions", PtxType.U32);
        Value channels = f.parameter("channels", PtxType.U32);
        Value perSlice = f.parameter("positions_per_slice", PtxType.U32);
        Value thread = f.special("%tid.x");
        Value lane = f.and(thread, Value.of(Code.WARP - 1));
        Value warp = f.compute(PtxOp.SHR, thread, Value.of(5));
        Value slice = f.special("%ctaid.x");
        Value picture = f.special("%ctaid.z");
        Value channel = f.mul(f.mad(f.special("%ctaid.y"), Value.of(Code.WARP), lane), Value.of(width));
        Value inRange = Code.less(f, channel, channels);
        Value begin = f.mul(slice, perSlice);
        Value end = f.compute(PtxOp.MIN, f.add(begin, perSlice), positions);
        Value base = f.mad(f.mulWide(f.mul(picture, positions), channels), Value.ofLong(type.bytes()), in);

        f.comment("each warp takes every eighth position");
        Value[] origin = zeros(f);
        Value[] sums = zeros(f);
        Value[] squares = zeros(f);
        f.when(inRange, () -> {
            Code.loadFloats(f, Space.GLOBAL, type, f.address(base, f.mad(begin, channels, channel), type.bytes()), 0, origin);
            Code.count(f, f.add(begin, warp), end, Value.of(WARPS), position -> {
                Value address = f.address(base, f.mad(position, channels, channel), type.bytes());
                Value[] x = Code.loadFloats(f, Space.GLOBAL, type, width, address, 0);
                for (int i = 0; i < width; i++) {
                    Value distance = f.sub(x[i], origin[i]);
                    f.assign(sums[i], PtxOp.ADD, sums[i], distance);
                    f.assign(squares[i], PtxOp.MAD, distance, distance, squares[i]);
                }
            });
        });

        f.comment("the first warp puts them together");
        int laneBytes = width * Float.BYTES;
        int rowBytes = Code.WARP * laneBytes;
        Value shared = f.mad(lane, Value.of(laneBytes), f.shared("warps", 2 * WARPS * rowBytes));
        Value mine = f.mad(warp, Value.of(2 * rowBytes), shared);
        f.store(Space.SHARED, mine, 0, sums);
        f.store(Space.SHARED, mine, rowBytes, squares);
        f.barrier();
        f.when(f.compute(PtxOp.AND, inRange, Code.less(f, thread, Value.of(Code.WARP))), () -> {
            for (int i = 1; i < WARPS; i++) {
                accumulate(f, sums, shared, 2 * i * rowBytes);
                accumulate(f, squares, shared, (2 * i + 1) * rowBytes);
            }
            Value count = f.convert(PtxType.F32, f.sub(end, begin));
            Value[] means = new Value[width];
            for (int i = 0; i < width; i++) {
                Value distance = f.compute(PtxOp.DIV, sums[i], count);
                means[i] = f.add(origin[i], distance);
                Value moved = f.mad(f.compute(PtxOp.NEG, distance), sums[i], squares[i]);
                f.assign(squares[i], PtxOp.MAX, moved, Value.of(0f));
            }
            Value row = f.mad(picture, f.special("%nctaid.x"), slice);
            Value address = f.address(statistics, f.mad(row, channels, channel), ColumnStatistics.PAIR_BYTES);
            new ColumnStatistics(means, squares).store(f, Space.GLOBAL, address);
        });
        return f.moduleText();
    }

    private Value[] zeros(PtxFunction f) {
        Value[] result = new Value[width];
        for (int i = 0; i < width; i++) {
            result[i] = f.move(Value.of(0f));
        }
        return result;
    }

    private void accumulate(PtxFunction f, Value[] totals, Value shared, int offset) {
        Value[] more = Code.loadFloats(f, Space.SHARED, DataType.F32, width, shared, offset);
        for (int i = 0; i < width; i++) {
            f.assign(totals[i], PtxOp.ADD, totals[i], more[i]);
        }
    }

    /** The same in plain Java, in doubles. */
    public static float[] reference(float[] in, int batch, int positions, int channels, int perSlice) {
        int slices = slices(positions, perSlice);
        float[] out = new float[batch * slices * channels * 2];
        for (int row = 0; row < batch * slices; row++) {
            int begin = row % slices * perSlice;
            int count = Math.min(perSlice, positions - begin);
            int first = (row / slices * positions + begin) * channels;
            for (int c = 0; c < channels; c++) {
                double mean = 0;
                for (int p = 0; p < count; p++) {
                    mean += (double) in[first + p * channels + c] / count;
                }
                double squares = 0;
                for (int p = 0; p < count; p++) {
                    double distance = in[first + p * channels + c] - mean;
                    squares += distance * distance;
                }
                out[(row * channels + c) * 2] = (float) mean;
                out[(row * channels + c) * 2 + 1] = (float) squares;
            }
        }
        return out;
    }
}
