package kiln.kernels.op;

import java.util.List;
import java.util.Objects;
import kiln.kernels.DataType;
import kiln.kernels.Kernel;
import kiln.kernels.KernelCall;
import kiln.kernels.ptx.Comparison;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxModule;
import kiln.kernels.ptx.PtxOp;
import kiln.kernels.ptx.PtxType;
import kiln.kernels.ptx.Space;
import kiln.kernels.ptx.Value;

/**
 * First part of group normalisation: sums over slices of positions, so that one group has many blocks.
 *
 * <p>{@code partial[b, group, slice] = (Σ (x − x₀), Σ (x − x₀)²)} in 32-bit floats, x₀ the group's first element: the distance from one of
 * its own values keeps the digits that a large mean would take. The order of sums is fixed, so results repeat, also when the slices are
 * summed a few at a time ({@link #callSlices}).
 */
public record GroupNormStatistics(DataType type) implements Kernel {
    private static final int THREADS = 256;
    private static final int WARPS = THREADS / Code.WARP;

    public GroupNormStatistics {
        Objects.requireNonNull(type, "type");
    }

    @Override
    public String name() {
        return "group_norm_statistics";
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

    /** @param slices of positions, the same as {@link GroupNormScale} is given */
    public KernelCall call(long in, long partial, int batch, int positions, int channels, int groups, int slices) {
        int perSlice = positionsPerSlice(positions, slices);
        return new KernelCall(
                this, slices, groups, batch, List.of(in, in, partial, positions, channels, channels / groups, perSlice, 0, slices));
    }

    /** How many positions each slice has, the last ones fewer or none. */
    public static int positionsPerSlice(int positions, int slices) {
        return Code.blocks(positions, slices);
    }

    /**
     * Some slices of one picture, of which the rest need not be there.
     *
     * @param in address of the first slice's first position
     * @param firstPosition address of the picture's first position, or of a copy of it
     * @param partial of all slices
     * @param positions of the whole picture
     * @param slices of the whole picture
     */
    public KernelCall callSlices(
            long in, long firstPosition, long partial, int positions, int channels, int groups, int slices, int firstSlice, int count) {
        if (firstSlice < 0 || count < 1 || firstSlice + count > slices) {
            throw new IllegalArgumentException("group norm statistics: slices " + firstSlice + " and " + count + " from there, of " + slices);
        }
        int perSlice = positionsPerSlice(positions, slices);
        int here = Math.max(0, Math.min(count * perSlice, positions - firstSlice * perSlice));
        return new KernelCall(
                this,
                count,
                groups,
                1,
                List.of(in, firstPosition, partial, here, channels, channels / groups, perSlice, firstSlice, slices));
    }

    @Override
    public String ptx() {
        PtxModule module = new PtxModule(Code.FLOOR);
        PtxFunction f = module.entry(name(), THREADS, registerBudget());
        Value in = f.parameter("in", PtxType.U64);
        Value origins = f.parameter("origins", PtxType.U64);
        Value partial = f.parameter("partial", PtxType.U64);
        Value positions = f.parameter("positions", PtxType.U32);
        Value channels = f.parameter("channels", PtxType.U32);
        Value perGroup = f.parameter("channels_per_group", PtxType.U32);
        Value perSlice = f.parameter("positions_per_slice", PtxType.U32);
        Value firstSlice = f.parameter("first_slice", PtxType.U32);
        Value slices = f.parameter("slices", PtxType.U32);
        Value thread = f.special("%tid.x");
        Value slice = f.special("%ctaid.x");
        Value group = f.special("%ctaid.y");
        Value picture = f.special("%ctaid.z");
        Value pictureElements = f.mulWide(f.mul(picture, positions), channels);
        Value firstChannel = f.mul(group, perGroup);
        Value base = f.address(f.mad(pictureElements, Value.ofLong(type.bytes()), in), firstChannel, type.bytes());
        Value originAddress = f.address(f.mad(pictureElements, Value.ofLong(type.bytes()), origins), firstChannel, type.bytes());
        Value origin = Code.loadFloats(f, Space.GLOBAL, type, 1, originAddress, 0)[0];

        f.comment("this thread's first element of the slice, and how far the next one is: no division in the loop");
        Value position = f.compute(PtxOp.DIV, thread, perGroup);
        Value channel = f.sub(thread, f.mul(position, perGroup));
        Value positionStep = f.register(PtxType.U32);
        f.emit("div.u32", positionStep.text(), Integer.toString(THREADS), perGroup.text());
        Value channelStep = f.sub(Value.of(THREADS), f.mul(positionStep, perGroup));
        Value begin = f.mul(slice, perSlice);
        Value end = f.compute(PtxOp.MIN, f.add(begin, perSlice), positions);
        f.assign(position, PtxOp.ADD, position, begin);
        Value sum = f.move(Value.of(0f));
        Value squares = f.move(Value.of(0f));
        f.loop(() -> Code.less(f, position, end), () -> {
            Value address = f.address(base, f.mad(position, channels, channel), type.bytes());
            Value x = f.sub(Code.loadFloats(f, Space.GLOBAL, type, 1, address, 0)[0], origin);
            f.assign(sum, PtxOp.ADD, sum, x);
            f.assign(squares, PtxOp.MAD, x, x, squares);
            f.assign(position, PtxOp.ADD, position, positionStep);
            f.assign(channel, PtxOp.ADD, channel, channelStep);
            Value over = f.compare(Comparison.GREATER_OR_EQUAL, channel, perGroup);
            f.guarded(over, () -> {
                f.assign(channel, PtxOp.SUB, channel, perGroup);
                f.assign(position, PtxOp.ADD, position, Value.of(1));
            });
        });

        f.comment("warps, then the block");
        Value warpSum = Code.reduce(f, PtxOp.ADD, sum, Code.WARP);
        Value warpSquares = Code.reduce(f, PtxOp.ADD, squares, Code.WARP);
        Value shared = f.shared("warps", WARPS * 2 * Float.BYTES);
        Value lane = f.and(thread, Value.of(Code.WARP - 1));
        Value warp = f.compute(PtxOp.SHR, thread, Value.of(5));
        f.when(f.compare(Comparison.EQUAL, lane, Value.of(0)), () -> {
            f.store(Space.SHARED, f.mad(warp, Value.of(2 * Float.BYTES), shared), 0, warpSum, warpSquares);
        });
        f.barrier();
        f.when(f.compare(Comparison.EQUAL, thread, Value.of(0)), () -> {
            Value blockSum = f.move(Value.of(0f));
            Value blockSquares = f.move(Value.of(0f));
            for (int i = 0; i < WARPS; i++) {
                Value a = f.register(PtxType.F32);
                Value b = f.register(PtxType.F32);
                f.load(Space.SHARED, shared, i * 2 * Float.BYTES, a, b);
                f.assign(blockSum, PtxOp.ADD, blockSum, a);
                f.assign(blockSquares, PtxOp.ADD, blockSquares, b);
            }
            Value row = f.mad(picture, f.special("%nctaid.y"), group);
            Value place = f.mad(row, slices, f.add(firstSlice, slice));
            f.store(Space.GLOBAL, f.address(partial, place, 2 * Float.BYTES), 0, blockSum, blockSquares);
        });
        return module.text();
    }

    public float[] reference(float[] in, int batch, int positions, int channels, int groups, int slices) {
        float[] out = new float[batch * groups * slices * 2];
        int perGroup = channels / groups;
        int perSlice = Code.blocks(positions, slices);
        for (int row = 0; row < batch * groups; row++) {
            int base = row / groups * positions * channels + row % groups * perGroup;
            for (int slice = 0; slice < slices; slice++) {
                double sum = 0;
                double squares = 0;
                for (int p = slice * perSlice; p < Math.min(positions, (slice + 1) * perSlice); p++) {
                    for (int c = 0; c < perGroup; c++) {
                        double x = in[base + p * channels + c] - in[base];
                        sum += x;
                        squares += x * x;
                    }
                }
                out[(row * slices + slice) * 2] = (float) sum;
                out[(row * slices + slice) * 2 + 1] = (float) squares;
            }
        }
        return out;
    }
}
