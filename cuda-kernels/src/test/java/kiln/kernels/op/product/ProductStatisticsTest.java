package kiln.kernels.op.product;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import kiln.kernels.DataType;
import kiln.kernels.emulator.EmulatedCalls;
import kiln.kernels.op.Arithmetic;
import kiln.kernels.op.Card;
import kiln.kernels.op.ColumnStatistics;
import kiln.kernels.op.norm.GroupNormScale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The statistics that products leave of their results, as group normalisation uses them. */
class ProductStatisticsTest {
    private static final long SEED = 7;
    private static final Epilogue STATISTICS = Epilogue.biasThen(Epilogue.Step.STATISTICS);
    private static final Epilogue ALL = Epilogue.biasThen(Epilogue.Step.ADD_PER_CHANNEL, Epilogue.Step.ADD, Epilogue.Step.STATISTICS);

    /** Each way of leaving them: tiles of each arithmetic with one slice a thread or more, and sums of parts. */
    static Stream<Arguments> ways() {
        return Stream.of(
                Arguments.of(DataType.F32, Tile.SMALL, 1),
                Arguments.of(DataType.F32, Tile.MEDIUM, 1),
                Arguments.of(DataType.F32, Tile.LARGE, 1),
                Arguments.of(DataType.F32, Tile.WIDE, 1),
                Arguments.of(DataType.F16, Tile.TALL, 1),
                Arguments.of(DataType.F16, Tile.mediumTensor(Arithmetic.MMA8), 1),
                Arguments.of(DataType.F16, Tile.largeTensor(Arithmetic.MMA16), 1),
                Arguments.of(DataType.F32, Tile.MEDIUM, 3),
                Arguments.of(DataType.F16, Tile.mediumTensor(Arithmetic.MMA16), 3));
    }

    private static MultiplyPlan plan(DataType type, Tile tile, int parts, Epilogue epilogue, int rows, int columns, int channels) {
        MatrixMultiply product = new MatrixMultiply(type, type, tile, true, parts > 1 ? Epilogue.NONE : epilogue, parts > 1);
        SplitSum sum = parts > 1 ? SplitSum.of(type, type, epilogue, columns, columns) : null;
        return new MultiplyPlan(product, parts, sum, new MatrixMultiply.Sizes(rows, columns, channels, channels, columns));
    }

    @ParameterizedTest(name = "{0} {1} in {2} parts")
    @MethodSource("ways")
    void aMeanFarAboveTheDeviationLosesNoDigits(DataType type, Tile tile, int parts) {
        int batch = 2;
        int positions = 192;
        int rows = batch * positions;
        int columns = 24;
        int groups = 3;
        int channels = 5 * tile.depth();
        MultiplyPlan plan = plan(type, tile, parts, STATISTICS, rows, columns, channels);
        Random random = new Random(SEED);
        float[] a = normal(random, type, rows * channels, 1);
        // Sums of deviation 0.1, and then a bias of 100.
        float[] weights = normal(random, type, columns * channels, 0.1 / Math.sqrt(channels));
        float[] bias = new float[columns];
        Arrays.fill(bias, 100);
        EmulatedCalls card = new EmulatedCalls();
        int perSlice = plan.statisticsSlice();
        int slices = positions / perSlice;
        long statistics = card.allocate((long) batch * slices * columns * ColumnStatistics.PAIR_BYTES);
        long out = card.allocate((long) rows * columns * type.bytes());
        long factors = card.allocate(2L * batch * columns * Float.BYTES);
        float[] ones = new float[columns];
        Arrays.fill(ones, 1);
        ProductOperands operands = new ProductOperands(
                card.write(type, a),
                OnLoad.Factors.NONE,
                card.write(type, weights),
                0,
                out,
                card.allocate(plan.workBytes()),
                card.write(type, bias),
                List.of(new Epilogue.Input(statistics, 0)));
        card.launch(plan.calls(operands, MatrixMultiply.Batch.ONE, plan.sizes().rows()));
        card.launch(List.of(new GroupNormScale(type).call(
                List.of(new GroupNormScale.Source(statistics, columns, perSlice)),
                card.write(type, ones),
                card.write(type, new float[columns]),
                factors,
                batch,
                positions,
                groups,
                0)));
        float[] pairs = card.read(DataType.F32, statistics, batch * slices * columns * 2);
        float[] found = card.read(DataType.F32, factors, 2 * batch * columns);
        for (int picture = 0; picture < batch; picture++) {
            for (int column = 0; column < columns; column++) {
                double[] exact = moments(a, weights, bias, picture * positions, positions, column, 1, channels);
                double[] combined = combined(pairs, picture * slices, slices, columns, column, perSlice);
                String what = "picture " + picture + ", column " + column + ", seed " + SEED;
                // A result of 100 is rounded by up to 4e-6, and a mean of them added up in a few steps.
                assertThat(combined[0]).as("mean, " + what).isCloseTo(exact[0], within(2e-5));
                // Squares are of distances from that mean: what it is off by is squared as well.
                assertThat(combined[1] / exact[1]).as("variance, " + what).isCloseTo(1, within(1e-4));
                int group = column / (columns / groups);
                double[] ofGroup = moments(a, weights, bias, picture * positions, positions, group * (columns / groups), columns / groups, channels);
                double factor = 1 / Math.sqrt(ofGroup[1]);
                int at = picture * 2 * columns + column;
                assertThat(found[at] / factor).as("factor, " + what).isCloseTo(1, within(1e-4));
                assertThat(found[at + columns] / (-ofGroup[0] * found[at])).as("addend, " + what).isCloseTo(1, within(5e-7));
            }
        }
    }

    /** Mean and variance of some columns of the product's rows. */
    private static double[] moments(
            float[] a, float[] weights, float[] bias, int firstRow, int rows, int firstColumn, int columns, int channels) {
        double[] values = new double[rows * columns];
        for (int i = 0; i < values.length; i++) {
            int row = firstRow + i / columns;
            int column = firstColumn + i % columns;
            values[i] = bias[column];
            for (int c = 0; c < channels; c++) {
                values[i] += (double) a[row * channels + c] * weights[column * channels + c];
            }
        }
        double mean = Arrays.stream(values).average().orElseThrow();
        return new double[] {mean, Arrays.stream(values).map(value -> (value - mean) * (value - mean)).average().orElseThrow()};
    }

    /** The same from the slices. */
    private static double[] combined(float[] pairs, int firstSlice, int slices, int columns, int column, int perSlice) {
        double mean = 0;
        for (int slice = firstSlice; slice < firstSlice + slices; slice++) {
            mean += pairs[(slice * columns + column) * 2] / (double) slices;
        }
        double squares = 0;
        for (int slice = firstSlice; slice < firstSlice + slices; slice++) {
            double distance = pairs[(slice * columns + column) * 2] - mean;
            squares += pairs[(slice * columns + column) * 2 + 1] + perSlice * distance * distance;
        }
        return new double[] {mean, squares / (slices * perSlice)};
    }

    @ParameterizedTest(name = "{0} {1} in {2} parts")
    @MethodSource("ways")
    void someRowsLeaveTheirSlicesToTheBit(DataType type, Tile tile, int parts) {
        int columns = 20;
        int channels = 5 * tile.depth();
        int perSlice = parts > 1 ? SplitSum.SLICE : tile.statisticsSlice();
        int slices = 5;
        int rows = slices * perSlice;
        MultiplyPlan plan = plan(type, tile, parts, ALL, rows, columns, channels);
        Random random = new Random(SEED);
        EmulatedCalls card = new EmulatedCalls();
        long a = card.write(type, normal(random, type, rows * channels, 1));
        long weights = card.write(type, normal(random, type, columns * channels, 1));
        long bias = card.write(type, normal(random, type, columns, 1));
        long perChannel = card.write(type, normal(random, type, columns, 1));
        long residual = card.write(type, normal(random, type, rows * columns, 1));
        long out = card.allocate((long) rows * columns * type.bytes());
        long work = card.allocate(plan.workBytes());
        int pairs = slices * columns * 2;
        long whole = card.allocate((long) pairs * Float.BYTES);
        long banded = card.allocate((long) pairs * Float.BYTES);
        // Bands of one slice, three and one: of tiles with several, they begin in the middle as well.
        int[][] bands = {{0, slices}, {0, 1}, {1, 3}, {4, 1}};
        for (int i = 0; i < bands.length; i++) {
            int firstRow = bands[i][0] * perSlice;
            long firstResult = (long) firstRow * columns * type.bytes();
            long statistics = (i == 0 ? whole : banded) + (long) bands[i][0] * columns * ColumnStatistics.PAIR_BYTES;
            ProductOperands operands = new ProductOperands(
                    a + (long) firstRow * channels * type.bytes(),
                    OnLoad.Factors.NONE,
                    weights,
                    0,
                    out + firstResult,
                    work,
                    bias,
                    List.of(
                            new Epilogue.Input(perChannel, rows),
                            new Epilogue.Input(residual + firstResult, columns),
                            new Epilogue.Input(statistics, 0)));
            card.launch(plan.calls(operands, MatrixMultiply.Batch.ONE, bands[i][1] * perSlice));
        }
        assertThat(card.read(DataType.F32, banded, pairs)).as("seed %d", SEED).isEqualTo(card.read(DataType.F32, whole, pairs));
    }

    @ParameterizedTest(name = "{0} {1} in {2} parts")
    @MethodSource("ways")
    void bandsOfAConvolutionLeaveTheirSlicesToTheBit(DataType type, Tile tile, int parts) {
        int perSlice = parts > 1 ? SplitSum.SLICE : tile.statisticsSlice();
        int height = 10;
        // A slice is two rows.
        int width = perSlice / 2;
        int in = tile.vector();
        int out = 12;
        Convolution.Shape shape = new Convolution.Shape(1, height, width, in, height, width, out);
        Convolution convolution = new Convolution(
                type, type, tile, true, parts > 1 ? Epilogue.NONE : STATISTICS, Convolution.Window.SAME, parts > 1);
        SplitSum sum = parts > 1 ? SplitSum.of(type, type, STATISTICS, out, out) : null;
        ConvolutionPlan plan = new ConvolutionPlan(convolution, parts, sum, shape);
        assertThat(plan.statisticsSlice()).isEqualTo(perSlice);
        Random random = new Random(SEED);
        EmulatedCalls card = new EmulatedCalls();
        long picture = card.write(type, normal(random, type, height * width * in, 1));
        long weights = card.write(type, normal(random, type, out * 9 * in, 1));
        long bias = card.write(type, normal(random, type, out, 1));
        long results = card.allocate((long) height * width * out * type.bytes());
        long work = card.allocate(plan.workBytes());
        int pairs = height / 2 * out * 2;
        long whole = card.allocate((long) pairs * Float.BYTES);
        long banded = card.allocate((long) pairs * Float.BYTES);
        ProductOperands all = new ProductOperands(
                picture, OnLoad.Factors.NONE, weights, 0, results, work, bias, List.of(new Epilogue.Input(whole, 0)));
        card.launch(plan.calls(all, Convolution.Band.whole(shape)));
        for (int[] firstAndRows : new int[][] {{0, 2}, {2, 6}, {8, 2}}) {
            Convolution.Band band = convolution.band(shape, firstAndRows[0], firstAndRows[1]);
            ProductOperands operands = new ProductOperands(
                    picture + (long) band.inFirstRow() * width * in * type.bytes(),
                    OnLoad.Factors.NONE,
                    weights,
                    0,
                    results + (long) band.firstRow() * width * out * type.bytes(),
                    work,
                    bias,
                    List.of(new Epilogue.Input(banded + (long) band.firstRow() / 2 * out * ColumnStatistics.PAIR_BYTES, 0)));
            card.launch(plan.calls(operands, band));
        }
        assertThat(card.read(DataType.F32, banded, pairs)).as("seed %d", SEED).isEqualTo(card.read(DataType.F32, whole, pairs));
    }

    private static float[] normal(Random random, DataType type, int count, double deviation) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) (random.nextGaussian() * deviation);
        }
        return type.decode(type.encode(values));
    }

    @Test
    void plansSayHowManyPositionsASliceHas() {
        Card card = new Card(86, 28);
        ConvolutionPlan large = convolve(card, 64, 64, 320, 320, STATISTICS);
        assertThat(large.statisticsSlice()).isEqualTo(large.convolution().tile().partRows());
        ConvolutionPlan split = convolve(card, 8, 8, 1280, 1280, STATISTICS);
        assertThat(split.parts()).isGreaterThan(1);
        assertThat(split.statisticsSlice()).isEqualTo(SplitSum.SLICE);
        ConvolutionPlan plain = convolve(new Card(61, 6), 64, 64, 320, 320, STATISTICS);
        assertThat(plain.convolution().tile().arithmetic()).isEqualTo(Arithmetic.FMA);
        assertThat(plain.statisticsSlice()).isEqualTo(plain.convolution().tile().statisticsSlice()).isPositive();
        assertThat(convolve(card, 64, 64, 320, 320, Epilogue.BIAS).statisticsSlice()).isZero();
    }

    @Test
    void plansLeaveStatisticsOutWhereNoneCanBeLeft() {
        Card card = new Card(86, 28);
        for (int capability : new int[] {61, 86}) {
            ConvolutionPlan odd = convolve(new Card(capability, 28), 61, 61, 320, 320, STATISTICS);
            assertThat(odd).as("positions that are no slices").isEqualTo(convolve(new Card(capability, 28), 61, 61, 320, 320, Epilogue.BIAS));
            assertThat(odd.statisticsSlice()).isZero();
        }
        ConvolutionPlan three = convolve(card, 64, 64, 128, 3, STATISTICS);
        assertThat(three).as("columns that are no vectors").isEqualTo(convolve(card, 64, 64, 128, 3, Epilogue.BIAS));
        assertThat(multiply(card, 2 * 4096, 320, 1, 4096).statisticsSlice()).isPositive();
        assertThat(multiply(card, 2 * 4095, 320, 1, 4095).statisticsSlice()).as("positions that are no slices").isZero();
        assertThat(multiply(card, 2 * 4096, 318, 1, 4096).statisticsSlice()).as("columns that are no vectors").isZero();
        assertThat(multiply(card, 4096, 320, 2, 4096).statisticsSlice()).as("a batch of matrices").isZero();
        assertThat(multiply(card, 2 * 4096, 318, 1, 4096).product().epilogue()).isEqualTo(Epilogue.BIAS);
    }

    private static ConvolutionPlan convolve(Card card, int height, int width, int in, int out, Epilogue epilogue) {
        Convolution.Shape shape = new Convolution.Shape(2, height, width, in, height, width, out);
        return ConvolutionPlan.choose(DataType.F16, DataType.F16, card, shape, Convolution.Window.SAME, epilogue, OnLoad.NOTHING);
    }

    private static MultiplyPlan multiply(Card card, int rows, int columns, int matrices, int positions) {
        MatrixMultiply.Sizes sizes = new MatrixMultiply.Sizes(rows, columns, 320, 320, columns);
        return MultiplyPlan.choose(DataType.F16, DataType.F16, card, sizes, matrices, STATISTICS, positions, OnLoad.NOTHING);
    }

    @Test
    void statisticsComeLastAndNotWithGeglu() {
        assertThatThrownBy(() -> Epilogue.biasThen(Epilogue.Step.STATISTICS, Epilogue.Step.SILU)).hasMessageContaining("statistics come last");
        assertThatThrownBy(() -> new Epilogue(true, true, List.of(Epilogue.Step.STATISTICS))).hasMessageContaining("not with geglu");
    }

    @Test
    void whatLeavesNoStatisticsRefusesTheStep() {
        assertThatThrownBy(() -> ApplyEpilogue.of(DataType.F16, STATISTICS, 320)).hasMessageContaining("use group_norm_statistics");
        assertThatThrownBy(() -> new MatrixMultiply(DataType.F16, Tile.SMALL, false, STATISTICS)).hasMessageContaining("leaves no statistics");
        assertThatThrownBy(() -> new SplitSum(DataType.F16, false, 1, STATISTICS)).hasMessageContaining("1 columns a thread");
    }

    @Test
    void launchesHaveWholeSlices() {
        ProductOperands operands = new ProductOperands(1, OnLoad.Factors.NONE, 2, 0, 3, 5, 4, List.of(new Epilogue.Input(4, 0)));
        MatrixMultiply multiply = new MatrixMultiply(DataType.F16, Tile.MEDIUM, true, STATISTICS);
        assertThatThrownBy(() -> multiply.call(operands, new MatrixMultiply.Sizes(96, 64, 64, 64, 64), MatrixMultiply.Batch.ONE))
                .hasMessageContaining("96 positions are no multiple of a slice of 64");
        MatrixMultiply.Batch two = new MatrixMultiply.Batch(2, 4096, 0, 4096);
        MatrixMultiply.Sizes sizes = new MatrixMultiply.Sizes(64, 64, 64, 64, 64);
        assertThatThrownBy(() -> multiply.call(operands, sizes, two)).hasMessageContaining("2 matrices");
        Convolution convolution = new Convolution(DataType.F16, Tile.MEDIUM, true, STATISTICS, Convolution.Window.SAME);
        Convolution.Shape shape = new Convolution.Shape(2, 8, 12, 8, 8, 12, 8);
        Convolution.Band whole = Convolution.Band.whole(shape);
        assertThatThrownBy(() -> convolution.call(operands, shape, whole))
                .as("two pictures in three slices")
                .hasMessageContaining("96 positions");
        Convolution part = new Convolution(DataType.F16, DataType.F16, Tile.MEDIUM, true, Epilogue.NONE, Convolution.Window.SAME, true);
        ConvolutionPlan split = new ConvolutionPlan(part, 3, new SplitSum(DataType.F16, false, 4, STATISTICS), shape);
        Convolution.Band band = part.band(shape, 0, 4);
        assertThatThrownBy(() -> split.calls(operands, band)).as("two bands in three slices").hasMessageContaining("48 positions");
        ProductOperands without = new ProductOperands(1, OnLoad.Factors.NONE, 2, 0, 3, 5, 4, List.of());
        assertThatThrownBy(() -> convolution.call(without, shape, whole)).isInstanceOf(IllegalArgumentException.class);
    }
}
