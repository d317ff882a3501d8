package kiln.kernels.cases;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import kiln.kernels.DataType;
import kiln.kernels.Kernel;
import kiln.kernels.op.attention.AttentionKernel;
import kiln.kernels.op.attention.AttentionScores;
import kiln.kernels.op.attention.AttentionValues;
import kiln.kernels.op.element.CopyRows;
import kiln.kernels.op.element.Elementwise;
import kiln.kernels.op.element.Embedding;
import kiln.kernels.op.element.TimestepEmbedding;
import kiln.kernels.op.element.UpsampleNearest;
import kiln.kernels.op.norm.GroupNormApply;
import kiln.kernels.op.norm.GroupNormScale;
import kiln.kernels.op.norm.GroupNormStatistics;
import kiln.kernels.op.norm.LayerNorm;
import kiln.kernels.op.norm.Softmax;
import kiln.kernels.op.product.ApplyEpilogue;
import kiln.kernels.op.product.Convolution;
import kiln.kernels.op.product.MatrixMultiply;
import kiln.kernels.op.product.SplitSum;

/** Cases of every kernel and variant, over sizes that are no multiple of what the kernel would like. */
public final class KernelCases {
    private KernelCases() {}

    public static List<KernelCase> all() {
        List<KernelCase> cases = new ArrayList<>();
        for (Kernel kernel : KernelLibrary.all()) {
            cases.addAll(of(kernel));
        }
        return cases;
    }

    /** At least one. */
    public static List<KernelCase> of(Kernel kernel) {
        if (kernel instanceof Elementwise elementwise) {
            return List.of(elementwise(elementwise, elementwise.width() == 1 ? 13 : 12));
        } else if (kernel instanceof MatrixMultiply multiply) {
            return ProductCases.of(multiply);
        } else if (kernel instanceof Convolution convolution) {
            return ProductCases.of(convolution);
        } else if (kernel instanceof SplitSum sum) {
            return List.of(ProductCases.of(sum));
        } else if (kernel instanceof ApplyEpilogue epilogue) {
            return List.of(ProductCases.of(epilogue));
        } else if (kernel instanceof AttentionKernel attention) {
            return AttentionCases.of(attention);
        } else if (kernel instanceof AttentionScores scores) {
            return SplitAttentionCases.of(scores);
        } else if (kernel instanceof AttentionValues values) {
            return SplitAttentionCases.of(values);
        } else if (kernel instanceof CopyRows copy) {
            return List.of(copy(copy));
        } else if (kernel instanceof Embedding embedding) {
            return List.of(embedding(embedding));
        } else if (kernel instanceof TimestepEmbedding timestep) {
            return List.of(timestep(timestep, 14), timestep(timestep, 320));
        } else if (kernel instanceof UpsampleNearest upsample) {
            return List.of(upsample(upsample, upsample.vectorWidth() == 1 ? 5 : 8));
        } else if (kernel instanceof LayerNorm norm) {
            return norm.width() == 1 ? List.of(layerNorm(norm, 5), layerNorm(norm, 77)) : List.of(layerNorm(norm, 320), layerNorm(norm, 12));
        } else if (kernel instanceof Softmax softmax) {
            return softmax.width() == 1 ? List.of(softmax(softmax, 1), softmax(softmax, 77)) : List.of(softmax(softmax, 260));
        } else if (kernel instanceof GroupNormStatistics statistics) {
            int channels = statistics.width() == 1 ? 37 : 132;
            return List.of(statistics(statistics, 2, 35, channels, 16), statistics(statistics, 1, 7, 20, 7), statisticsInTwoLaunches(statistics));
        } else if (kernel instanceof GroupNormScale scale) {
            return List.of(
                    groupNormScale(scale, 83, 3, 32, 30),
                    // More pairs than threads, and more of a group's channels than a warp.
                    groupNormScale(scale, 83, 2, 5, 74),
                    // Groups of 11: the second one has channels of both.
                    groupNormScale(scale, 40, 3, 8, 15, 18),
                    groupNormScale(scale, 40, 1, 8, 4, 6));
        } else if (kernel instanceof GroupNormApply apply) {
            return List.of(groupNormApply(apply, apply.width() == 1 ? 21 : 24));
        }
        throw new IllegalArgumentException("no cases for " + kernel.name());
    }

    private static KernelCase elementwise(Elementwise kernel, int channels) {
        int positions = 29;
        int batch = 2;
        int count = batch * positions * channels;
        DataType type = kernel.type();
        CaseBuilder c = new CaseBuilder(kernel, count + " elements");
        float[] a = c.normal(type, count, 3);
        boolean perChannel = kernel.function().isPerChannel();
        float[] b = kernel.function().hasSecondInput() ? c.normal(type, perChannel ? batch * channels : count, 1) : null;
        float[] expected = kernel.reference(a, b, channels, positions * channels);
        long aAddress = c.input("a", type, a, batch, positions, channels);
        if (perChannel) {
            long bAddress = c.input("b", type, b, batch, channels);
            long out = c.output("out", type, expected, batch, positions, channels);
            c.call(kernel.perChannel(aAddress, bAddress, out, count, channels, positions * channels));
        } else if (b != null) {
            long bAddress = c.input("b", type, b, batch, positions, channels);
            long out = c.output("out", type, expected, batch, positions, channels);
            c.call(kernel.add(aAddress, bAddress, out, count));
        } else {
            long out = c.output("out", type, expected, batch, positions, channels);
            c.call(kernel.activation(aAddress, out, count));
        }
        return c.build(type, 2e-6);
    }

    private static KernelCase copy(CopyRows kernel) {
        int rows = 19;
        int columns = kernel.width() == 1 ? 13 : 16;
        int inStride = columns + 4 * kernel.width();
        CaseBuilder c = new CaseBuilder(kernel, String.format(Locale.ROOT, "%d rows of %d from %d", rows, columns, inStride));
        float[] in = c.normal(kernel.from(), rows * inStride, 1);
        long inAddress = c.input("in", kernel.from(), in, rows, inStride);
        long out = c.output("out", kernel.to(), kernel.reference(in, rows, columns, inStride), rows, columns);
        return c.call(kernel.call(inAddress, out, rows, columns, inStride, columns)).build(kernel.to(), 0);
    }

    private static KernelCase embedding(Embedding kernel) {
        int vocabulary = 23;
        int length = 7;
        int rows = 2 * length;
        int channels = 19;
        CaseBuilder c = new CaseBuilder(kernel, rows + " ids, " + channels + " channels");
        float[] ids = new float[rows];
        for (int i = 0; i < rows; i++) {
            ids[i] = c.integer(vocabulary);
        }
        float[] tokens = c.normal(kernel.type(), vocabulary * channels, 1);
        float[] places = c.normal(kernel.type(), length * channels, 1);
        long idsAddress = c.input("ids", DataType.F32, ids, rows);
        long tokensAddress = c.input("tokens", kernel.type(), tokens, vocabulary, channels);
        long placesAddress = c.input("places", kernel.type(), places, length, channels);
        long out = c.output("out", kernel.type(), kernel.reference(ids, tokens, places, length, channels), rows, channels);
        return c.call(kernel.call(idsAddress, tokensAddress, placesAddress, out, rows, length, channels)).build(kernel.type(), 1e-7);
    }

    private static KernelCase timestep(TimestepEmbedding kernel, int channels) {
        float[] timesteps = {0, 1, 999, 500.5f};
        CaseBuilder c = new CaseBuilder(kernel, channels + " channels");
        float[] frequencies = TimestepEmbedding.frequencies(channels);
        long timestepsAddress = c.input("timesteps", DataType.F32, timesteps, timesteps.length);
        long frequenciesAddress = c.input("frequencies", DataType.F32, frequencies, frequencies.length);
        long out = c.output("out", kernel.type(), kernel.reference(timesteps, frequencies), timesteps.length, channels);
        return c.call(kernel.call(timestepsAddress, frequenciesAddress, out, timesteps.length, channels)).build(kernel.type(), 3e-6);
    }

    private static KernelCase upsample(UpsampleNearest kernel, int channels) {
        CaseBuilder c = new CaseBuilder(kernel, "3x5 to 7x10");
        float[] in = c.normal(kernel.type(), 2 * 3 * 5 * channels, 1);
        long inAddress = c.input("in", kernel.type(), in, 2, 3, 5, channels);
        long out = c.output("out", kernel.type(), kernel.reference(in, 2, 3, 5, channels, 7, 10), 2, 7, 10, channels);
        return c.call(kernel.call(inAddress, out, 2, 3, 5, channels, 7, 10)).build(kernel.type(), 0);
    }

    private static KernelCase layerNorm(LayerNorm kernel, int channels) {
        int rows = 9;
        DataType type = kernel.type();
        CaseBuilder c = new CaseBuilder(kernel, rows + " rows of " + channels);
        float[] in = c.normal(type, rows * channels, 2);
        float[] scale = c.normal(type, channels, 1);
        float[] shift = c.normal(type, channels, 1);
        long inAddress = c.input("in", type, in, rows, channels);
        long scaleAddress = c.input("scale", type, scale, channels);
        long shiftAddress = c.input("shift", type, shift, channels);
        long out = c.output("out", type, kernel.reference(in, scale, shift, channels, 1e-5f), rows, channels);
        return c.call(kernel.call(inAddress, scaleAddress, shiftAddress, out, rows, channels, 1e-5f)).build(type, 1e-5);
    }

    private static KernelCase softmax(Softmax kernel, int columns) {
        int rows = 7;
        CaseBuilder c = new CaseBuilder(kernel, rows + " rows of " + columns);
        float[] in = c.normal(kernel.type(), rows * columns, 8);
        long inAddress = c.input("in", kernel.type(), in, rows, columns);
        long out = c.output("out", kernel.type(), kernel.reference(in, columns, 0.5f), rows, columns);
        return c.call(kernel.call(inAddress, out, rows, columns, 0.5f)).build(kernel.type(), 5e-6);
    }

    private static KernelCase statistics(GroupNormStatistics kernel, int batch, int positions, int channels, int perSlice) {
        CaseBuilder c = new CaseBuilder(kernel, batch + " of " + positions + " positions of " + channels + " by " + perSlice);
        float[] in = farFromZero(c, kernel.type(), batch * positions * channels);
        long inAddress = c.input("in", kernel.type(), in, batch, positions, channels);
        float[] expected = GroupNormStatistics.reference(in, batch, positions, channels, perSlice);
        int slices = GroupNormStatistics.slices(positions, perSlice);
        long statistics = c.output("statistics", DataType.F32, expected, batch, slices, channels, 2);
        return c.call(kernel.call(inAddress, statistics, batch, positions, channels, perSlice)).build(1e-5, 1e-5);
    }

    /** Six slices of seven positions: four of them first, then the others, of which the last one is short, from and to other buffers. */
    private static KernelCase statisticsInTwoLaunches(GroupNormStatistics kernel) {
        int positions = 40;
        int channels = 12;
        int perSlice = 7;
        int firstPositions = 4 * perSlice;
        CaseBuilder c = new CaseBuilder(kernel, positions + " positions of " + channels + " by " + perSlice + ", two launches");
        float[] in = c.normal(kernel.type(), positions * channels, 1);
        long begin = c.input("begin", kernel.type(), Arrays.copyOf(in, firstPositions * channels), firstPositions, channels);
        float[] others = Arrays.copyOfRange(in, firstPositions * channels, in.length);
        long rest = c.input("rest", kernel.type(), others, others.length / channels, channels);
        float[] expected = GroupNormStatistics.reference(in, 1, positions, channels, perSlice);
        int firstPairs = 4 * channels;
        long statistics = c.output("statistics", DataType.F32, Arrays.copyOf(expected, 2 * firstPairs), 4, channels, 2);
        float[] otherPairs = Arrays.copyOfRange(expected, 2 * firstPairs, expected.length);
        long otherStatistics = c.output("otherStatistics", DataType.F32, otherPairs, otherPairs.length / (2 * channels), channels, 2);
        c.call(kernel.call(begin, statistics, 1, firstPositions, channels, perSlice));
        c.call(kernel.call(rest, otherStatistics, 1, positions - firstPositions, channels, perSlice));
        return c.build(1e-5, 1e-5);
    }

    /** A mean far from 0, which plain sums of squares would not survive. */
    private static float[] farFromZero(CaseBuilder c, DataType type, int count) {
        float[] values = c.normal(type, count, 1);
        for (int i = 0; i < values.length; i++) {
            values[i] += 60;
        }
        return type.decode(type.encode(values));
    }

    /** @param sourceChannels of each of the maps that are one along the channels; each has slices of its own */
    private static KernelCase groupNormScale(GroupNormScale kernel, int positions, int groups, int perSlice, Integer... sourceChannels) {
        int batch = 2;
        int channels = Arrays.stream(sourceChannels).mapToInt(each -> each).sum();
        DataType type = kernel.type();
        CaseBuilder c = new CaseBuilder(
                kernel, positions + " positions of " + Arrays.toString(sourceChannels) + " by " + perSlice + " in " + groups + " groups");
        float[] in = farFromZero(c, type, batch * positions * channels);
        float[] scale = c.normal(type, channels, 1);
        float[] shift = c.normal(type, channels, 1);
        List<GroupNormScale.Source> sources = new ArrayList<>();
        int before = 0;
        for (int i = 0; i < sourceChannels.length; i++) {
            int width = sourceChannels[i];
            float[] map = new float[batch * positions * width];
            for (int at = 0; at < map.length; at++) {
                map[at] = in[at / width * channels + before + at % width];
            }
            int own = perSlice + 2 * i;
            float[] statistics = GroupNormStatistics.reference(map, batch, positions, width, own);
            long address = c.input("statistics" + i, DataType.F32, statistics, batch, GroupNormStatistics.slices(positions, own), width, 2);
            sources.add(new GroupNormScale.Source(address, width, own));
            before += width;
        }
        long scaleAddress = c.input("scale", type, scale, channels);
        long shiftAddress = c.input("shift", type, shift, channels);
        float[] expected = kernel.reference(in, scale, shift, batch, positions, groups, 1e-6f);
        long factors = c.output("factors", DataType.F32, expected, batch, 2, channels);
        c.call(kernel.call(sources, scaleAddress, shiftAddress, factors, batch, positions, groups, 1e-6f));
        // The addend is some sixty times the factor: its error is relative to that.
        return c.build(1e-4, 1e-5);
    }

    private static KernelCase groupNormApply(GroupNormApply kernel, int channels) {
        int batch = 2;
        int positions = 23;
        CaseBuilder c = new CaseBuilder(kernel, positions + " positions of " + channels);
        float[] in = c.normal(kernel.type(), batch * positions * channels, 1);
        float[] factors = c.normal(DataType.F32, batch * 2 * channels, 1);
        long inAddress = c.input("in", kernel.type(), in, batch, positions, channels);
        long factorsAddress = c.input("factors", DataType.F32, factors, batch, 2, channels);
        long out = c.output("out", kernel.type(), kernel.reference(in, factors, positions, channels), batch, positions, channels);
        return c.call(kernel.call(inAddress, factorsAddress, out, batch, positions, channels)).build(kernel.type(), 4e-6);
    }
}
