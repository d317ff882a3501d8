package kiln.kernels.op.product;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import kiln.kernels.DataType;
import kiln.kernels.emulator.EmulatedCalls;
import kiln.kernels.op.Arithmetic;
import kiln.kernels.op.Card;
import kiln.kernels.op.ColumnStatistics;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Convolutions of doubled pictures: sums of weights, bands, statistics, plans. */
class DoublingTest {
    private static final ProductOperands OPERANDS = new ProductOperands(1, OnLoad.Factors.NONE, 2, 3, 4, 5, 6, List.of());
    private static final long SEED = 11;
    private static final Epilogue STATISTICS = Epilogue.biasThen(Epilogue.Step.STATISTICS);

    private static Convolution doubling(DataType type, DataType weights, Tile tile, Epilogue epilogue, boolean partial) {
        return new Convolution(type, weights, tile, true, epilogue, Convolution.Window.DOUBLED, partial);
    }

    private static Convolution.Shape shape(int batch, int height, int width, int in, int out) {
        return new Convolution.Shape(batch, height, width, in, 2 * height, 2 * width, out);
    }

    @Test
    void weightsThatFallOnTheSamePlaceAreAddedUp() {
        float[] window = {
            1, 2, 4,
            8, 16, 32,
            64, 128, 256
        };
        assertThat(Doubling.packWeights(window, 1, 1)).containsExactly(
                1, 2 + 4, 8 + 64, 16 + 32 + 128 + 256,
                1 + 2, 4, 8 + 16 + 64 + 128, 32 + 256,
                1 + 8, 2 + 4 + 16 + 32, 64, 128 + 256,
                1 + 2 + 8 + 16, 4 + 32, 64 + 128, 256);
    }

    @Test
    void theyGiveWhatTheWholeWindowGivesOfTheDoubledPicture() {
        int batch = 2;
        int height = 5;
        int width = 3;
        int in = 7;
        int out = 3;
        Random random = new Random(SEED);
        float[] picture = normal(random, DataType.F32, batch * height * width * in);
        float[] weights = normal(random, DataType.F32, out * in * 9);
        float[] doubled = new float[4 * picture.length];
        for (int i = 0; i < doubled.length / in; i++) {
            int y = i / (2 * width) / 2;
            System.arraycopy(picture, (y * width + i % (2 * width) / 2) * in, doubled, i * in, in);
        }
        Convolution.Shape small = shape(batch, height, width, in, out);
        Convolution.Shape large = new Convolution.Shape(batch, 2 * height, 2 * width, in, 2 * height, 2 * width, out);
        float[] found = new Convolution(DataType.F32, Tile.SMALL, false, Epilogue.NONE, Convolution.Window.DOUBLED)
                .reference(picture, Doubling.packWeights(weights, out, in), null, small, Convolution.Band.whole(small), Epilogue.Values.NONE);
        float[] expected = new Convolution(DataType.F32, Tile.SMALL, false, Epilogue.NONE, Convolution.Window.SAME)
                .reference(doubled, packed(weights, out, in), null, large, Convolution.Band.whole(large), Epilogue.Values.NONE);
        for (int i = 0; i < expected.length; i++) {
            // Sums of four weights are rounded thrice by up to 2^-24 of some units each, 63 of them come together.
            assertThat(found[i]).as("element %d, seed %d", i, SEED).isCloseTo(expected[i], within(2e-5f));
        }
    }

    /** Tiles of each arithmetic, with one slice and more, and sums of parts. */
    static Stream<Arguments> ways() {
        return Stream.of(
                Arguments.of(DataType.F32, DataType.F32, Tile.SMALL, 1),
                Arguments.of(DataType.F16, DataType.F16, Tile.MEDIUM, 1),
                Arguments.of(DataType.F16, DataType.I8, Tile.LARGE, 1),
                Arguments.of(DataType.F16, DataType.F16, Tile.mediumTensor(Arithmetic.MMA8), 1),
                Arguments.of(DataType.F16, DataType.F16, Tile.largeTensor(Arithmetic.MMA16), 1),
                Arguments.of(DataType.F16, DataType.I8, Tile.tallestTensor(Arithmetic.MMA16), 1),
                Arguments.of(DataType.F32, DataType.F16, Tile.MEDIUM, 3),
                Arguments.of(DataType.F16, DataType.I8, Tile.mediumTensor(Arithmetic.MMA16), 3));
    }

    private static ConvolutionPlan plan(DataType type, DataType weights, Tile tile, int parts, Convolution.Shape shape) {
        Convolution convolution = doubling(type, weights, tile, parts > 1 ? Epilogue.NONE : STATISTICS, parts > 1);
        return new ConvolutionPlan(convolution, parts, parts > 1 ? convolution.sumOfParts(STATISTICS, shape.outChannels()) : null, shape);
    }

    /** Rows of the smaller map are half a slice; of a split sum's result, a whole one. */
    @ParameterizedTest(name = "{0} {1} {2} in {3} parts")
    @MethodSource("ways")
    void bandsAndTheirStatisticsEqualTheWholesToTheBit(DataType type, DataType weightType, Tile tile, int parts) {
        int height = 10;
        int width = tile.statisticsSlice() / 2;
        int in = tile.depth() + tile.vector();
        int out = 12;
        Convolution.Shape shape = shape(1, height, width, in, out);
        ConvolutionPlan plan = plan(type, weightType, tile, parts, shape);
        int perSlice = plan.statisticsSlice();
        assertThat(perSlice).isEqualTo(parts > 1 ? SplitSum.SLICE : tile.statisticsSlice());
        assertThat(plan.bandRowsMultiple()).isEqualTo(parts > 1 ? 2 : 4);
        Random random = new Random(SEED);
        EmulatedCalls card = new EmulatedCalls();
        long picture = card.write(type, normal(random, type, height * width * in));
        float[] window = Doubling.packWeights(normal(random, type, out * in * 9), out, in);
        QuantizedRows bytes = QuantizedRows.of(window, Doubling.TAPS * in);
        long weights = card.write(weightType, weightType == DataType.I8 ? bytes.valuesAsFloats() : window);
        long scales = card.write(DataType.F32, bytes.scales());
        long bias = card.write(type, normal(random, type, out));
        long work = card.allocate(plan.workBytes());
        int rowElements = 2 * width * out;
        int elements = 2 * height * rowElements;
        int pairs = elements / perSlice * 2;
        long[] results = {card.allocate((long) elements * type.bytes()), card.allocate((long) elements * type.bytes())};
        long[] statistics = {card.allocate((long) pairs * Float.BYTES), card.allocate((long) pairs * Float.BYTES)};
        int[][] firstAndRows = {{0, 2 * height}, {0, 4}, {4, 12}, {16, 4}};
        for (int i = 0; i < firstAndRows.length; i++) {
            int target = i == 0 ? 0 : 1;
            Convolution.Band band = plan.convolution().band(shape, firstAndRows[i][0], firstAndRows[i][1]);
            long before = (long) band.firstRow() * rowElements;
            ProductOperands operands = new ProductOperands(
                    picture + (long) band.inFirstRow() * width * in * type.bytes(),
                    OnLoad.Factors.NONE,
                    weights,
                    scales,
                    results[target] + before * type.bytes(),
                    work,
                    bias,
                    List.of(new Epilogue.Input(statistics[target] + before / perSlice * ColumnStatistics.PAIR_BYTES, 0)));
            card.launch(plan.calls(operands, band));
        }
        assertThat(card.read(type, results[1], elements)).as("seed %d", SEED).isEqualTo(card.read(type, results[0], elements));
        assertThat(card.read(DataType.F32, statistics[1], pairs)).as("seed %d", SEED).isEqualTo(card.read(DataType.F32, statistics[0], pairs));
    }

    @Test
    void bandsBeginAndEndBetweenTheTwoRowsThatARowMakes() {
        Convolution kernel = doubling(DataType.F16, DataType.F16, Tile.MEDIUM, Epilogue.BIAS, false);
        Convolution.Shape shape = shape(1, 8, 4, 8, 8);
        assertThat(kernel.band(shape, 4, 6)).isEqualTo(new Convolution.Band(4, 6, 1, 5));
        for (int[] firstAndRows : new int[][] {{3, 4}, {4, 3}}) {
            Convolution.Band band = kernel.band(shape, firstAndRows[0], firstAndRows[1]);
            assertThatThrownBy(() -> kernel.call(OPERANDS, shape, band)).hasMessageContaining("whose rows come in twos");
        }
    }

    @Test
    void otherWindowsAndSizesAreRefused() {
        assertThatThrownBy(() -> new Convolution.Window(1, 1, 0, true)).hasMessageContaining("read doubled");
        assertThatThrownBy(() -> new Convolution.Window(3, 2, 1, true)).hasMessageContaining("read doubled");
        Convolution kernel = doubling(DataType.F16, DataType.F16, Tile.MEDIUM, Epilogue.BIAS, false);
        Convolution.Shape odd = new Convolution.Shape(1, 8, 4, 8, 16, 7, 8);
        assertThatThrownBy(() -> kernel.call(OPERANDS, odd, Convolution.Band.whole(odd))).hasMessageContaining("not the doubled size");
        Convolution parts = doubling(DataType.F16, DataType.I8, Tile.MEDIUM, Epilogue.NONE, true);
        SplitSum scaling = SplitSum.of(DataType.F16, DataType.I8, Epilogue.BIAS, 8, 8);
        assertThatThrownBy(() -> new ConvolutionPlan(parts, 2, scaling, shape(1, 8, 4, 64, 8))).hasMessageContaining("its parts added by f16 scaled");
    }

    private static ConvolutionPlan choose(Card card, int height, int width, int channels, Epilogue epilogue) {
        Convolution.Shape shape = shape(2, height, width, channels, channels);
        return ConvolutionPlan.choose(DataType.F16, DataType.F16, card, shape, Convolution.Window.DOUBLED, epilogue, OnLoad.NOTHING);
    }

    @Test
    void plansCountFourTapsOfTheSmallerMapAtEachParity() {
        TileChoice.Product product = ConvolutionPlan.product(shape(2, 32, 24, 640, 320), Convolution.Window.DOUBLED, OnLoad.NOTHING);
        assertThat(product).isEqualTo(new TileChoice.Product(2 * 32 * 24, 320, 640, 4, 4));
        Card card = new Card(86, 28);
        ConvolutionPlan large = choose(card, 32, 32, 640, Epilogue.BIAS);
        assertThat(large.calls(OPERANDS, Convolution.Band.whole(large.shape())))
                .singleElement()
                .satisfies(call -> assertThat(call.gridZ()).isEqualTo(4));
        // A map so small that one of nine taps would be split into as many parts again.
        ConvolutionPlan split = choose(new Card(90, 132), 4, 4, 1280, Epilogue.BIAS);
        assertThat(split.parts()).isGreaterThan(1);
        assertThat(split.workBytes()).isEqualTo(split.parts() * 2L * 8 * 8 * 1280 * 4);
        assertThat(split.calls(OPERANDS, Convolution.Band.whole(split.shape())).get(0).gridZ()).isEqualTo(4 * split.parts());
    }

    @Test
    void plansLeaveStatisticsWhereTheSmallerMapHasWholeSlices() {
        for (Card card : List.of(new Card(61, 6), new Card(86, 28))) {
            ConvolutionPlan whole = choose(card, 64, 64, 320, STATISTICS);
            assertThat(whole.parts()).isEqualTo(1);
            assertThat(whole.statisticsSlice()).isEqualTo(whole.convolution().tile().statisticsSlice());
            assertThat(whole.bandRowsMultiple()).isEqualTo(2);
            // Four times as many are.
            ConvolutionPlan odd = choose(card, 62, 62, 320, STATISTICS);
            assertThat(odd).isEqualTo(choose(card, 62, 62, 320, Epilogue.BIAS));
            assertThat(odd.statisticsSlice()).isZero();
            assertThat(odd.bandRowsMultiple()).as("without statistics").isEqualTo(2);
        }
    }

    private static float[] normal(Random random, DataType type, int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return type.decode(type.encode(values));
    }

    /** From {@code [out, in, 3, 3]} to {@code [out, 3, 3, in]}. */
    private static float[] packed(float[] weights, int out, int in) {
        float[] packed = new float[weights.length];
        for (int i = 0; i < weights.length; i++) {
            packed[(i / (in * 9) * 9 + i % 9) * in + i / 9 % in] = weights[i];
        }
        return packed;
    }
}
