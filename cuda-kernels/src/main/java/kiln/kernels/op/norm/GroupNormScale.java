package kiln.kernels.op.norm;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import kiln.kernels.DataType;
import kiln.kernels.Kernel;
import kiln.kernels.KernelCall;
import kiln.kernels.op.Code;
import kiln.kernels.op.ColumnStatistics;
import kiln.kernels.ptx.Comparison;
import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxOp;
import kiln.kernels.ptx.PtxType;
import kiln.kernels.ptx.Space;
import kiln.kernels.ptx.Value;

/**
 * Second part of group normalisation: from the statistics of the slices ({@link GroupNormStatistics} has their format) to one factor and one
 * addend for each channel of each picture, {@code factors[b, 0, c] = scale[c] / √(variance + epsilon)} and {@code factors[b, 1, c] = shift[c] −
 * mean · factor}, in 32-bit floats.
 *
 * <p>A block does a group. Slices are put together by Chan's formula: the mean first, then M2 = Σ M2ᵢ + Σ nᵢ·(meanᵢ − mean)², in a fixed order.
 * {@code type} is that of scale and shift.
 */
public record GroupNormScale(DataType type) implements Kernel {
    private static final int THREADS = 256;
    private static final int WARPS = THREADS / Code.WARP;
    /** A map, or two along the channels. */
    private static final int MOST_SOURCES = 2;

    /**
     * The statistics of one map.
     *
     * @param statistics address of {@code [batch, slices, channels]} pairs
     * @param perSlice positions of a slice; the last one of a picture may have fewer
     */
    public record Source(long statistics, int channels, int perSlice) {
        public Source {
            if (channels < 1 || perSlice < 1) {
                throw new IllegalArgumentException("group norm: statistics of " + channels + " channels, " + perSlice + " positions a slice");
            }
        }
    }

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

    /**
     * @param sources the map's, or those of two maps that are one along the channels; a group may have channels of both
     * @param scale address of one for each channel of all sources, as {@code shift}
     */
    public KernelCall call(
            List<Source> sources, long scale, long shift, long factors, int batch, int positions, int groups, float epsilon) {
        int channels = sources.stream().mapToInt(Source::channels).sum();
        if (sources.isEmpty() || sources.size() > MOST_SOURCES || channels % groups != 0) {
            throw new IllegalArgumentException("group norm: " + sources.size() + " sources of " + channels + " channels in " + groups + " groups");
        }
        List<Object> arguments = new ArrayList<>();
        for (int i = 0; i < MOST_SOURCES; i++) {
            Source source = sources.get(Math.min(i, sources.size() - 1));
            arguments.add(source.statistics());
            // A source that is not there has no channels.
            arguments.add(i < sources.size() ? source.channels() : 0);
            arguments.add(source.perSlice());
            arguments.add(GroupNormStatistics.slices(positions, source.perSlice()));
        }
        arguments.addAll(List.of(scale, shift, factors, positions, channels, groups, channels / groups, epsilon));
        return new KernelCall(this, batch * groups, 1, 1, arguments);
    }

    @Override
    public String ptx() {
        PtxFunction f = Code.entry(this);
        List<Parameters> parameters = new ArrayList<>();
        for (int i = 0; i < MOST_SOURCES; i++) {
            parameters.add(new Parameters(
                    f.parameter("statistics" + i, PtxType.U64),
                    f.parameter("channels" + i, PtxType.U32),
                    f.parameter("positions_per_slice" + i, PtxType.U32),
                    f.parameter("slices" + i, PtxType.U32)));
        }
        Value scale = f.parameter("scale", PtxType.U64);
        Value shift = f.parameter("shift", PtxType.U64);
        Value factors = f.parameter("factors", PtxType.U64);
        Value positions = f.parameter("positions", PtxType.U32);
        Value channels = f.parameter("channels", PtxType.U32);
        Value groups = f.parameter("groups", PtxType.U32);
        Value perGroup = f.parameter("channels_per_group", PtxType.U32);
        Value epsilon = f.parameter("epsilon", PtxType.F32);
        Value thread = f.special("%tid.x");
        Value row = f.special("%ctaid.x");
        Value picture = f.compute(PtxOp.DIV, row, groups);
        Value firstChannel = f.mul(f.sub(row, f.mul(picture, groups)), perGroup);
        f.comment("this group's channels of each source");
        List<Share> shares = new ArrayList<>();
        Value before = Value.of(0);
        for (Parameters source : parameters) {
            shares.add(share(f, source, before, picture, firstChannel, f.add(firstChannel, perGroup)));
            before = source.channels();
        }
        f.comment("the mean: distances from the group's first one keep the digits that a large mean would take");
        Share first = shares.get(0);
        Value hasFirst = f.compare(Comparison.GREATER, first.channels(), Value.of(0));
        Value origin = f.load(Space.GLOBAL, PtxType.F32, f.select(PtxType.U64, hasFirst, first.begin(), shares.get(1).begin()), 0);
        Value count = f.convert(PtxType.F32, f.mul(positions, perGroup));
        Value sum = f.move(Value.of(0f));
        for (Share share : shares) {
            share.forEach(f, thread, positions, (size, mean, squares) -> f.assign(sum, PtxOp.MAD, size, f.sub(mean, origin), sum));
        }
        Value distance = f.compute(PtxOp.DIV, total(f, thread, sum, "sums"), count);
        f.comment("and the squares around it");
        Value spread = f.move(Value.of(0f));
        for (Share share : shares) {
            share.forEach(f, thread, positions, (size, mean, squares) -> {
                Value away = f.sub(f.sub(mean, origin), distance);
                f.assign(spread, PtxOp.ADD, spread, f.mad(f.mul(size, away), away, squares));
            });
        }
        Value variance = f.compute(PtxOp.DIV, total(f, thread, spread, "spreads"), count);
        Value inverse = f.compute(PtxOp.RSQRT, f.add(variance, epsilon));
        Value mean = f.add(origin, distance);
        Value factorRow = f.mul(f.mul(picture, channels), Value.of(2));
        Code.count(f, f.move(thread), perGroup, Value.of(THREADS), c -> {
            Value channel = f.add(firstChannel, c);
            Value channelScale = Code.loadFloats(f, Space.GLOBAL, type, 1, f.address(scale, channel, type.bytes()), 0)[0];
            Value channelShift = Code.loadFloats(f, Space.GLOBAL, type, 1, f.address(shift, channel, type.bytes()), 0)[0];
            Value factor = f.mul(channelScale, inverse);
            Value addend = f.sub(channelShift, f.mul(mean, factor));
            Value address = f.address(factors, f.add(factorRow, channel), Float.BYTES);
            f.store(Space.GLOBAL, address, 0, factor);
            f.store(Space.GLOBAL, f.address(address, channels, Float.BYTES), 0, addend);
        });
        return f.moduleText();
    }

    private record Parameters(Value statistics, Value channels, Value perSlice, Value slices) {}

    private interface PairText {
        /** @param size positions of the slice, as a float */
        void emit(Value size, Value mean, Value squares);
    }

    /**
     * A group's part of a source.
     *
     * @param begin address of its first pair
     * @param channels how many it has; may be none
     */
    private record Share(Parameters source, Value begin, Value channels) {
        /** Emits a loop over every 256th pair from this thread's on, channels running first. */
        void forEach(PtxFunction f, Value thread, Value positions, PairText body) {
            Code.count(f, f.move(thread), f.mul(channels, source.slices()), Value.of(THREADS), pair -> {
                Value slice = f.compute(PtxOp.DIV, pair, channels);
                Value channel = f.sub(pair, f.mul(slice, channels));
                Value mean = f.register(PtxType.F32);
                Value squares = f.register(PtxType.F32);
                Value place = f.mad(slice, source.channels(), channel);
                f.load(Space.GLOBAL, f.address(begin, place, ColumnStatistics.PAIR_BYTES), 0, mean, squares);
                Value left = f.sub(positions, f.mul(slice, source.perSlice()));
                body.emit(f.convert(PtxType.F32, f.compute(PtxOp.MIN, left, source.perSlice())), mean, squares);
            });
        }
    }

    /** @param before channels of the sources before this one */
    private static Share share(PtxFunction f, Parameters source, Value before, Value picture, Value firstChannel, Value endChannel) {
        Value end = f.add(source.channels(), before);
        Value from = f.compute(PtxOp.MAX, firstChannel, before);
        Value to = f.compute(PtxOp.MAX, f.compute(PtxOp.MIN, endChannel, end), from);
        Value row = f.mulWide(f.mul(picture, source.slices()), source.channels());
        Value pictureBegin = f.mad(row, Value.ofLong(ColumnStatistics.PAIR_BYTES), source.statistics());
        return new Share(source, f.address(pictureBegin, f.sub(from, before), ColumnStatistics.PAIR_BYTES), f.sub(to, from));
    }

    /** The sum over the block's threads, in all of them. */
    private static Value total(PtxFunction f, Value thread, Value value, String arrayName) {
        Value ofWarp = Code.reduce(f, PtxOp.ADD, value, Code.WARP);
        Value shared = f.shared(arrayName, WARPS * Float.BYTES);
        Value lane = f.and(thread, Value.of(Code.WARP - 1));
        Value warp = f.compute(PtxOp.SHR, thread, Value.of(5));
        f.when(f.compare(Comparison.EQUAL, lane, Value.of(0)), () -> f.store(Space.SHARED, f.mad(warp, Value.of(Float.BYTES), shared), 0, ofWarp));
        f.barrier();
        Value result = f.load(Space.SHARED, PtxType.F32, shared, 0);
        for (int i = 1; i < WARPS; i++) {
            f.assign(result, PtxOp.ADD, result, f.load(Space.SHARED, PtxType.F32, shared, i * Float.BYTES));
        }
        return result;
    }

    /** From the map itself, or the two along the channels, in doubles. */
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
