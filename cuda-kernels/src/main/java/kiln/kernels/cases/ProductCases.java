package kiln.kernels.cases;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import kiln.kernels.DataType;
import kiln.kernels.op.norm.GroupNormStatistics;
import kiln.kernels.op.product.ApplyEpilogue;
import kiln.kernels.op.product.Convolution;
import kiln.kernels.op.product.ConvolutionPlan;
import kiln.kernels.op.product.Doubling;
import kiln.kernels.op.product.Epilogue;
import kiln.kernels.op.product.MatrixMultiply;
import kiln.kernels.op.product.MultiplyPlan;
import kiln.kernels.op.product.OnLoad;
import kiln.kernels.op.product.ProductOperands;
import kiln.kernels.op.product.QuantizedRows;
import kiln.kernels.op.product.SplitSum;
import kiln.kernels.op.product.Tile;

/** Matrix products and convolutions, over tiles' edges. */
final class ProductCases {
    private ProductCases() {}

    static List<KernelCase> of(MatrixMultiply kernel) {
        int tileRows = kernel.tile().rows();
        int tileColumns = kernel.tile().columns();
        boolean changed = kernel.onLoad() != OnLoad.NOTHING;
        // Three pictures, of which the first tile holds two and a part.
        int positions = 2 * tileRows / 5 | 1;
        if (kernel.partial()) {
            int rows = changed ? 3 * positions : tileRows + 5;
            return List.of(split(kernel, rows, changed ? positions : rows, 12, 5 * kernel.tile().depth() + kernel.tile().vector(), 3));
        }
        List<KernelCase> cases = new ArrayList<>();
        if (kernel.epilogue().leavesStatistics()) {
            int rows = tileRows + kernel.tile().statisticsSlice();
            cases.add(multiply(kernel, 1, rows, rows, tileColumns + 8, 5 * kernel.tile().vector()));
        } else if (changed) {
            boolean vector = kernel.vector();
            // More slices than shared memory holds at a time.
            int channels = 5 * kernel.tile().depth() + (vector ? kernel.tile().vector() : 3);
            cases.add(multiply(kernel, 1, 3 * positions, positions, tileColumns + (vector ? 8 : 6), channels));
            // Pictures of fewer rows than lie between those that a thread loads.
            cases.add(multiply(kernel, 1, tileRows / 3 * 3, 3, vector ? 12 : 7, vector ? kernel.tile().vector() : 3));
        } else if (kernel.vector()) {
            cases.add(multiply(kernel, 2, tileRows + 5, tileRows + 5, tileColumns + 8, 5 * kernel.tile().vector()));
        } else {
            cases.add(multiply(kernel, 1, tileRows + 3, tileRows + 3, tileColumns + 6, 21));
            cases.add(multiply(kernel, 2, 1, 1, 10, 3));
        }
        return cases;
    }

    private static KernelCase multiply(MatrixMultiply kernel, int matrices, int rows, int positions, int columns, int channels) {
        DataType type = kernel.type();
        Epilogue epilogue = kernel.epilogue();
        String pictures = positions == rows ? "" : ", pictures of " + positions;
        CaseBuilder c = new CaseBuilder(kernel, matrices + " of " + rows + "x" + columns + "x" + channels + pictures);
        int width = epilogue.geglu() ? columns / 2 : columns;
        float[] a = c.normal(type, matrices * rows * channels, 1);
        Changed changed = new Changed(c, kernel, a, positions, channels);
        // Weights with scales are shared.
        int weightMatrices = kernel.weights() == DataType.I8 ? 1 : matrices;
        Weights weights = new Weights(c, type, kernel.weights(), weightMatrices * columns, channels);
        Added added = new Added(c, type, epilogue, columns, rows, width, rows);
        MatrixMultiply.Sizes sizes = new MatrixMultiply.Sizes(rows, columns, channels, channels, width);
        float[] expected = new float[matrices * rows * width];
        for (int i = 0; i < matrices; i++) {
            float[] matrix = part(weights.values, i % weightMatrices, weightMatrices);
            float[] result = kernel.reference(part(changed.values, i, matrices), matrix, weights.scales, sizes, added.values());
            System.arraycopy(result, 0, expected, i * rows * width, result.length);
        }
        long aAddress = c.input("a", type, a, matrices, rows, channels);
        changed.declare();
        weights.declare(weightMatrices, columns, channels);
        added.declare();
        added.declareStatistics(expected, kernel.tile().statisticsSlice());
        long out = c.output("out", type, expected, matrices, rows, width);
        MatrixMultiply.Batch batch = new MatrixMultiply.Batch(
                matrices, rows * channels, weightMatrices == 1 ? 0 : columns * channels, rows * width);
        ProductOperands operands = new ProductOperands(
                aAddress, changed.factors, weights.address, weights.scalesAddress, out, 0, added.biasAddress, added.inputs);
        c.call(kernel.call(operands, sizes, batch));
        return changed.build();
    }

    /** Parts of the channels, and their sum. */
    private static KernelCase split(MatrixMultiply kernel, int rows, int positions, int columns, int channels, int parts) {
        DataType type = kernel.type();
        CaseBuilder c = new CaseBuilder(kernel, rows + "x" + columns + "x" + channels + " in " + parts + " parts");
        float[] a = c.normal(type, rows * channels, 1);
        Changed changed = new Changed(c, kernel, a, positions, channels);
        Weights weights = new Weights(c, type, kernel.weights(), columns, channels);
        SplitSum sum = SplitSum.of(type, kernel.weights(), Epilogue.BIAS, columns, columns);
        Added added = new Added(c, type, sum.epilogue(), columns, rows, columns, rows);
        MatrixMultiply whole = new MatrixMultiply(type, kernel.weights(), kernel.tile(), true, sum.epilogue());
        MatrixMultiply.Sizes sizes = new MatrixMultiply.Sizes(rows, columns, channels, channels, columns);
        float[] expected = whole.reference(changed.values, weights.values, weights.scales, sizes, added.values());
        long aAddress = c.input("a", type, a, rows, channels);
        changed.declare();
        weights.declare(columns, channels);
        added.declare();
        long work = c.work("work", DataType.F32, parts, rows, columns);
        long out = c.output("out", type, expected, rows, columns);
        MultiplyPlan plan = new MultiplyPlan(kernel, parts, sum, sizes);
        ProductOperands operands = new ProductOperands(
                aAddress, changed.factors, weights.address, weights.scalesAddress, out, work, added.biasAddress, List.of());
        plan.calls(operands, MatrixMultiply.Batch.ONE, rows).forEach(c::call);
        return changed.build();
    }

    static KernelCase of(SplitSum kernel) {
        DataType type = kernel.type();
        Epilogue epilogue = kernel.epilogue();
        int rows = epilogue.leavesStatistics() ? 3 * SplitSum.SLICE : 15;
        int columns = kernel.width() == 4 ? 36 : 14;
        int width = epilogue.geglu() ? columns / 2 : columns;
        int parts = 3;
        CaseBuilder c = new CaseBuilder(kernel, parts + " parts of " + rows + "x" + columns);
        float[] work = c.normal(DataType.F32, parts * rows * columns, 1);
        float[] scales = kernel.scaled() ? c.normal(DataType.F32, columns, 1) : null;
        Added added = new Added(c, type, epilogue, columns, rows, width, rows / 3);
        float[] expected = kernel.reference(work, parts, scales, rows, columns, added.values());
        long workAddress = c.input("work", DataType.F32, work, parts, rows, columns);
        long scalesAddress = scales == null ? 0 : c.input("scales", DataType.F32, scales, columns);
        added.declare();
        added.declareStatistics(expected, SplitSum.SLICE);
        long out = c.output("out", type, expected, rows, width);
        ProductOperands operands = new ProductOperands(
                0, OnLoad.Factors.NONE, 0, scalesAddress, out, workAddress, added.biasAddress, added.inputs);
        c.call(kernel.call(operands, parts, rows, columns, width));
        return c.build(type, 1e-5);
    }

    static KernelCase of(ApplyEpilogue kernel) {
        DataType type = kernel.type();
        Epilogue epilogue = kernel.epilogue();
        int rows = 15;
        int columns = kernel.width() == 4 ? 36 : kernel.width() == 2 ? 14 : 7;
        int width = epilogue.geglu() ? columns / 2 : columns;
        CaseBuilder c = new CaseBuilder(kernel, rows + "x" + columns);
        float[] sums = c.normal(type, rows * columns, 1);
        Added added = new Added(c, type, epilogue, columns, rows, width, 5);
        float[] expected = kernel.reference(sums, rows, columns, added.values());
        long sumsAddress = c.input("sums", type, sums, rows, columns);
        added.declare();
        long out = c.output("out", type, expected, rows, width);
        c.call(kernel.call(sumsAddress, out, rows, columns, added.biasAddress, added.inputs));
        return c.build(type, 1e-5);
    }

    static List<KernelCase> of(Convolution kernel) {
        if (kernel.tile().isPatch()) {
            return patches(kernel);
        }
        if (kernel.partial()) {
            // The parts' borders lie within a tap's channels.
            return List.of(split(kernel, 5, 7, kernel.tile().depth() + 2 * kernel.tile().vector(), 12, kernel.window().upsample() ? 3 : 4));
        }
        int in = kernel.vector() ? 5 * kernel.tile().vector() : 5;
        int out = kernel.vector() ? 12 : 7;
        if (kernel.epilogue().leavesStatistics()) {
            // A slice is four rows of the result.
            int stride = kernel.window().stride();
            int width = stride * kernel.tile().statisticsSlice() / 4;
            return List.of(
                    convolve(kernel, 2, 12 * stride, width, in, out, false),
                    convolve(kernel, 1, 4 * stride, width, in, kernel.tile().columns() + out, false),
                    convolve(kernel, 2, 6 * stride, width, in, out, true));
        }
        List<KernelCase> cases = new ArrayList<>();
        cases.add(convolve(kernel, 2, 5, 7, in, out, false));
        if (kernel.window().size() > 1) {
            cases.add(convolve(kernel, 1, 2, 1, in, kernel.tile().columns() + out, false));
            cases.add(convolve(kernel, 2, 8, 3, in, out, true));
        }
        return cases;
    }

    /** Maps of whole patches and of odd sizes, with channels that end within a chunk. */
    private static List<KernelCase> patches(Convolution kernel) {
        Tile tile = kernel.tile();
        int in = tile.depth() + tile.vector();
        if (kernel.partial()) {
            return List.of(split(kernel, 11, 19, tile.depth() + in, 12, 3));
        }
        if (kernel.epilogue().leavesStatistics()) {
            return List.of(
                    convolve(kernel, 2, 2 * tile.patchHeight(), 2 * tile.patchWidth(), in, 12, false),
                    convolve(kernel, 1, tile.patchHeight() + 2, tile.patchWidth(), in, tile.columns() + 12, true));
        }
        return List.of(
                convolve(kernel, 2, 11, 19, in, 12, false),
                convolve(kernel, 1, 8, 8, in, tile.columns() + 12, false),
                convolve(kernel, 2, 20, 17, in, 12, true));
    }

    private static KernelCase convolve(Convolution kernel, int batch, int height, int width, int in, int out, boolean banded) {
        DataType type = kernel.type();
        int scale = kernel.window().upsample() ? 2 : 1;
        // As the networks pad: by one on both sides, or (stride 2, none before) by one behind.
        int padding = kernel.window().size() == 1 ? 0 : Math.max(1, 2 * kernel.window().padBefore());
        int outHeight = (height * scale + padding - kernel.window().size()) / kernel.window().stride() + 1;
        int outWidth = Math.max(1, (width * scale + padding - kernel.window().size()) / kernel.window().stride() + 1);
        Convolution.Shape shape = new Convolution.Shape(batch, height, width, in, outHeight, outWidth, out);
        // Rows from the middle, or all.
        Convolution.Band band = banded ? kernel.band(shape, scale, outHeight - 2 * scale) : Convolution.Band.whole(shape);
        String size = batch + " of " + height + "x" + width + "x" + in + " to " + out;
        CaseBuilder c = new CaseBuilder(kernel, banded ? size + " rows " + scale + " to " + (outHeight - scale - 1) : size);
        float[] picture = c.normal(type, batch * band.inRows() * width * in, 1);
        Factors factors = new Factors(c, kernel.onLoad(), batch, in, band.inRows() * width);
        Weights weights = windows(c, kernel, in, out);
        int rows = batch * band.rows() * outWidth;
        Added added = new Added(c, type, kernel.epilogue(), out, rows, out, band.rows() * outWidth);
        float[] expected = kernel.reference(
                factors.applied(type, picture), weights.values, weights.scales, shape, band, added.values());
        long pictureAddress = c.input("in", type, picture, batch, band.inRows(), width, in);
        declareWindows(weights, kernel, in, out);
        added.declare();
        if (kernel.epilogue().leavesStatistics()) {
            added.declareStatistics(inSlices(kernel, expected, batch, band.rows(), outWidth), kernel.tile().statisticsSlice());
        }
        long outAddress = c.output("out", type, expected, batch, band.rows(), outWidth, out);
        ProductOperands operands = new ProductOperands(
                pictureAddress, factors.declare(), weights.address, weights.scalesAddress, outAddress, 0, added.biasAddress, added.inputs);
        c.call(kernel.call(operands, shape, band));
        return c.build(type, 1e-5);
    }

    /** Positions in the order of the slices of statistics that they belong to. */
    private static float[] inSlices(Convolution kernel, float[] results, int batch, int height, int width) {
        Tile tile = kernel.tile();
        if (!tile.isPatch() && !kernel.window().upsample()) {
            return results;
        }
        int channels = results.length / (batch * height * width);
        float[] ordered = new float[results.length];
        for (int i = 0; i < batch * height * width; i++) {
            int row = kernel.window().upsample() ? ofDoubling(i, tile.statisticsSlice(), width) : ofPatch(i, tile, width);
            System.arraycopy(results, row * channels, ordered, i * channels, channels);
        }
        return ordered;
    }

    private static int ofPatch(int index, Tile tile, int width) {
        int across = width / tile.patchWidth();
        int pixel = index % tile.rows();
        int place = index / tile.rows();
        int y = place / across * tile.patchHeight() + pixel / tile.patchWidth();
        return y * width + place % across * tile.patchWidth() + pixel % tile.patchWidth();
    }

    /** A slice of the smaller map's positions has the four parities' results one behind another. */
    private static int ofDoubling(int index, int perSlice, int width) {
        int slice = index / perSlice;
        int parity = slice % Doubling.PARITIES;
        int position = slice / Doubling.PARITIES * perSlice + index % perSlice;
        int y = 2 * (position / (width / 2)) + parity / 2;
        return y * width + 2 * (position % (width / 2)) + parity % 2;
    }

    /** Weights of all windows: one for each out channel, or for each parity and out channel. */
    private static Weights windows(CaseBuilder c, Convolution kernel, int in, int out) {
        boolean doubles = kernel.window().upsample();
        int taps = doubles ? Doubling.TAPS : kernel.window().size() * kernel.window().size();
        return new Weights(c, kernel.type(), kernel.weights(), doubles ? Doubling.PARITIES * out : out, taps * in);
    }

    private static void declareWindows(Weights weights, Convolution kernel, int in, int out) {
        if (kernel.window().upsample()) {
            weights.declare(Doubling.PARITIES, out, Doubling.TAPS, in);
        } else {
            weights.declare(out, kernel.window().size(), kernel.window().size(), in);
        }
    }

    private static KernelCase split(Convolution kernel, int height, int width, int in, int out, int parts) {
        DataType type = kernel.type();
        int outHeight = kernel.window().upsample() ? 2 * height : height;
        int outWidth = kernel.window().upsample() ? 2 * width : width;
        Convolution.Shape shape = new Convolution.Shape(2, height, width, in, outHeight, outWidth, out);
        CaseBuilder c = new CaseBuilder(kernel, "2 of " + height + "x" + width + "x" + in + " to " + out + " in " + parts + " parts");
        float[] picture = c.normal(type, 2 * height * width * in, 1);
        Factors factors = new Factors(c, kernel.onLoad(), 2, in, height * width);
        Weights weights = windows(c, kernel, in, out);
        SplitSum sum = kernel.sumOfParts(Epilogue.biasThen(Epilogue.Step.ADD_PER_CHANNEL), out);
        int positions = outHeight * outWidth;
        Added added = new Added(c, type, sum.epilogue(), out, 2 * positions, out, positions);
        Convolution whole = new Convolution(
                type, kernel.weights(), kernel.tile(), true, sum.epilogue(), kernel.window());
        Convolution.Band all = Convolution.Band.whole(shape);
        float[] expected = whole.reference(
                factors.applied(type, picture), weights.values, weights.scales, shape, all, added.values());
        long pictureAddress = c.input("in", type, picture, 2, height, width, in);
        declareWindows(weights, kernel, in, out);
        added.declare();
        long work = c.work("work", DataType.F32, parts, 2 * positions, out);
        long outAddress = c.output("out", type, expected, 2, outHeight, outWidth, out);
        ProductOperands operands = new ProductOperands(
                pictureAddress,
                factors.declare(),
                weights.address,
                weights.scalesAddress,
                outAddress,
                work,
                added.biasAddress,
                added.inputs);
        new ConvolutionPlan(kernel, parts, sum, shape).calls(operands, all).forEach(c::call);
        return c.build(type, 1e-5);
    }

    private static float[] part(float[] whole, int index, int parts) {
        int length = whole.length / parts;
        return Arrays.copyOfRange(whole, index * length, (index + 1) * length);
    }

    /** What a product multiplies instead of a: a's elements as {@link OnLoad} changes them. */
    private static final class Changed {
        final float[] values;
        OnLoad.Factors factors = OnLoad.Factors.NONE;
        private final CaseBuilder builder;
        private final MatrixMultiply kernel;
        private final float[] channelFactors;
        private final int positions;
        private final int channels;

        Changed(CaseBuilder builder, MatrixMultiply kernel, float[] a, int positions, int channels) {
            this.builder = builder;
            this.kernel = kernel;
            this.positions = positions;
            this.channels = channels;
            boolean changes = kernel.onLoad() != OnLoad.NOTHING;
            channelFactors = changes ? builder.normal(DataType.F32, a.length / positions * 2, 1) : null;
            values = kernel.onLoad().reference(kernel.type(), a, channelFactors, positions, channels);
        }

        void declare() {
            if (channelFactors != null) {
                long address = builder.input("factors", DataType.F32, channelFactors, channelFactors.length / (2 * channels), 2, channels);
                factors = new OnLoad.Factors(address, positions);
            }
        }

        KernelCase build() {
            // The card's SiLU is off by a few units of 2^-22. Where that turns the rounding of an element to a half, its products differ by
            // half a thousandth of it.
            boolean mayTurn = kernel.onLoad() == OnLoad.AFFINE_SILU && kernel.type() == DataType.F16;
            return builder.build(kernel.type(), mayTurn ? 3e-3 : 1e-5);
        }
    }

    /** Weights as the kernel stores them: floats, or whole numbers with a scale for each row. */
    private static final class Weights {
        final float[] values;
        final float[] scales;
        long address;
        long scalesAddress;
        private final CaseBuilder builder;
        private final DataType stored;

        Weights(CaseBuilder builder, DataType type, DataType stored, int rows, int columns) {
            this.builder = builder;
            this.stored = stored;
            float[] normal = builder.normal(stored == DataType.F16 ? stored : type, rows * columns, 1 / Math.sqrt(columns));
            QuantizedRows quantized = stored == DataType.I8 ? QuantizedRows.of(normal, columns) : null;
            values = quantized == null ? normal : quantized.valuesAsFloats();
            scales = quantized == null ? null : quantized.scales();
        }

        void declare(Integer... shape) {
            address = builder.input("weights", stored, values, shape);
            if (scales != null) {
                scalesAddress = builder.input("scales", DataType.F32, scales, scales.length);
            }
        }
    }

    /** What is done to elements as they are loaded. */
    private static final class Factors {
        private final CaseBuilder builder;
        private final OnLoad onLoad;
        private final int pictures;
        private final int channels;
        private final int positions;
        private final float[] values;

        Factors(CaseBuilder builder, OnLoad onLoad, int pictures, int channels, int positions) {
            this.builder = builder;
            this.onLoad = onLoad;
            this.pictures = pictures;
            this.channels = channels;
            this.positions = positions;
            values = onLoad == OnLoad.NOTHING ? null : builder.normal(DataType.F32, pictures * 2 * channels, 1);
        }

        float[] applied(DataType type, float[] picture) {
            return onLoad.reference(type, picture, values, positions, channels);
        }

        OnLoad.Factors declare() {
            if (values == null) {
                return OnLoad.Factors.NONE;
            }
            return new OnLoad.Factors(builder.input("factors", DataType.F32, values, pictures, 2, channels), positions);
        }
    }

    /** An epilogue's tensors; its statistics come last. */
    private static final class Added {
        final List<Epilogue.Input> inputs = new ArrayList<>();
        long biasAddress;
        private final CaseBuilder builder;
        private final DataType type;
        private final Epilogue epilogue;
        private final int width;
        private final float[] bias;
        private final List<float[]> tensors = new ArrayList<>();
        private final List<Integer> steps = new ArrayList<>();

        Added(CaseBuilder builder, DataType type, Epilogue epilogue, int columns, int rows, int width, int rowsPerBatch) {
            this.builder = builder;
            this.type = type;
            this.epilogue = epilogue;
            this.width = width;
            bias = epilogue.bias() ? builder.normal(type, columns, 1) : null;
            for (Epilogue.Step step : epilogue.steps()) {
                if (step == Epilogue.Step.ADD) {
                    tensors.add(builder.normal(type, rows * width, 1));
                    steps.add(width);
                } else if (step == Epilogue.Step.ADD_PER_CHANNEL) {
                    tensors.add(builder.normal(type, rows / rowsPerBatch * width, 1));
                    steps.add(rowsPerBatch);
                }
            }
        }

        Epilogue.Values values() {
            return new Epilogue.Values(bias, tensors, steps);
        }

        void declare() {
            if (bias != null) {
                biasAddress = builder.input("bias", type, bias, bias.length);
            }
            for (int i = 0; i < tensors.size(); i++) {
                long address = builder.input("added" + i, type, tensors.get(i), tensors.get(i).length / width, width);
                inputs.add(new Epilogue.Input(address, steps.get(i)));
            }
        }

        /** @param results as computed, of which the epilogue may leave statistics */
        void declareStatistics(float[] results, int perSlice) {
            if (epilogue.leavesStatistics()) {
                int rows = results.length / width;
                float[] expected = GroupNormStatistics.reference(results, 1, rows, width, perSlice);
                inputs.add(new Epilogue.Input(builder.output("statistics", DataType.F32, expected, rows / perSlice, width, 2), 0));
            }
        }
    }
}
