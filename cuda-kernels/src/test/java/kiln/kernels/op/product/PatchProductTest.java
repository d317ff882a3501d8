package kiln.kernels.op.product;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import kiln.kernels.DataType;
import kiln.kernels.emulator.EmulatedCalls;
import kiln.kernels.op.Arithmetic;
import kiln.kernels.op.ColumnStatistics;
import kiln.kernels.op.element.CopyRows;
import kiln.kernels.op.norm.GroupNormApply;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Convolutions whose tiles are rectangles of pixels. */
class PatchProductTest {
    private static final long SEED = 11;
    private static final DataType TYPE = DataType.F16;
    private static final int CHANNELS = 72;
    private static final int OUT_CHANNELS = 12;
    private static final Epilogue STATISTICS = Epilogue.biasThen(Epilogue.Step.STATISTICS);

    static Stream<Arguments> ways() {
        return Stream.of(
                Arguments.of(Tile.mediumPatch(Arithmetic.MMA8), 1),
                Arguments.of(Tile.largePatch(Arithmetic.MMA16), 1),
                Arguments.of(Tile.mediumPatch(Arithmetic.MMA16), 3));
    }

    static Stream<Tile> tiles() {
        return Stream.of(
                Tile.mediumPatch(Arithmetic.MMA8),
                Tile.tallPatch(Arithmetic.MMA16),
                Tile.tallestPatch(Arithmetic.MMA16),
                Tile.mediumPatch(Arithmetic.MMA16));
    }

    /** A picture on an emulated card and what it is convolved with. */
    private static final class Run {
        final EmulatedCalls card = new EmulatedCalls();
        final Convolution.Shape shape;
        final long picture;
        final long weights;
        final long bias;
        final OnLoad.Factors factors;
        final int results;

        Run(int batch, int height, int width) {
            Random random = new Random(SEED);
            shape = new Convolution.Shape(batch, height, width, CHANNELS, height, width, OUT_CHANNELS);
            picture = card.write(TYPE, normal(random, batch * height * width * CHANNELS));
            weights = card.write(TYPE, normal(random, OUT_CHANNELS * 9 * CHANNELS));
            bias = card.write(TYPE, normal(random, OUT_CHANNELS));
            factors = new OnLoad.Factors(card.write(DataType.F32, normal(random, 2 * batch * CHANNELS)), height * width);
            results = batch * height * width * OUT_CHANNELS;
        }

        /** The results of a plan's launches for some bands of rows, given as first row and number. */
        float[] results(ConvolutionPlan plan, int[]... bands) {
            long out = card.allocate((long) results * TYPE.bytes());
            long work = card.allocate(plan.workBytes());
            for (int[] each : bands) {
                Convolution.Band band = plan.convolution().band(shape, each[0], each[1]);
                long in = picture + (long) band.inFirstRow() * shape.width() * CHANNELS * TYPE.bytes();
                long first = out + (long) band.firstRow() * shape.width() * OUT_CHANNELS * TYPE.bytes();
                card.launch(plan.calls(new ProductOperands(in, factors, weights, 0, first, work, bias, List.of()), band));
            }
            return card.read(TYPE, out, results);
        }
    }

    private static float[] normal(Random random, int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    private static ConvolutionPlan plan(Tile tile, int parts, Epilogue epilogue, OnLoad onLoad, Convolution.Shape shape) {
        boolean split = parts > 1;
        Convolution convolution = new Convolution(
                TYPE, TYPE, tile, true, split ? Epilogue.NONE : epilogue, Convolution.Window.SAME, split, onLoad);
        return new ConvolutionPlan(convolution, parts, split ? SplitSum.of(TYPE, TYPE, epilogue, OUT_CHANNELS, OUT_CHANNELS) : null, shape);
    }

    @ParameterizedTest(name = "{0} in {1} parts")
    @MethodSource("ways")
    void bandsOfAnyRowsEqualTheWholeToTheBit(Tile tile, int parts) {
        Run run = new Run(1, 19, 18);
        ConvolutionPlan plan = plan(tile, parts, Epilogue.BIAS, OnLoad.AFFINE_SILU, run.shape);
        assertThat(run.results(plan, new int[] {0, 3}, new int[] {3, 9}, new int[] {12, 1}, new int[] {13, 6}))
                .as("seed %d", SEED)
                .isEqualTo(run.results(plan, new int[] {0, 19}));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("tiles")
    void bandsOfWholeTilesLeaveTheirSlicesToTheBit(Tile tile) {
        int height = 3 * tile.patchHeight();
        Run run = new Run(1, height, 2 * tile.patchWidth());
        ConvolutionPlan plan = plan(tile, 1, STATISTICS, OnLoad.AFFINE, run.shape);
        assertThat(plan.bandRowsMultiple()).isEqualTo(tile.patchHeight());
        int pairs = height * run.shape.width() / plan.statisticsSlice() * OUT_CHANNELS * 2;
        long out = run.card.allocate((long) run.results * TYPE.bytes());
        float[][] found = new float[2][];
        int[][][] ways = {{{0, height}}, {{0, tile.patchHeight()}, {tile.patchHeight(), 2 * tile.patchHeight()}}};
        for (int i = 0; i < ways.length; i++) {
            long statistics = run.card.allocate((long) pairs * Float.BYTES);
            for (int[] each : ways[i]) {
                Convolution.Band band = plan.convolution().band(run.shape, each[0], each[1]);
                int slicesBefore = each[0] * run.shape.width() / plan.statisticsSlice();
                long place = statistics + (long) slicesBefore * OUT_CHANNELS * ColumnStatistics.PAIR_BYTES;
                run.card.launch(plan.calls(new ProductOperands(
                        run.picture + (long) band.inFirstRow() * run.shape.width() * CHANNELS * TYPE.bytes(),
                        run.factors,
                        run.weights,
                        0,
                        out,
                        0,
                        run.bias,
                        List.of(new Epilogue.Input(place, 0))), band));
            }
            found[i] = run.card.read(DataType.F32, statistics, pairs);
        }
        assertThat(found[1]).as("seed %d", SEED).isEqualTo(found[0]);
    }

    @ParameterizedTest
    @EnumSource(value = OnLoad.class, names = {"AFFINE", "AFFINE_SILU"})
    void itIsTheConvolutionOfTheNormalisedMapToTheBit(OnLoad onLoad) {
        Run run = new Run(2, 11, 9);
        Tile tile = Tile.mediumPatch(Arithmetic.MMA16);
        int[] all = {0, run.shape.height()};
        float[] onTheWay = run.results(plan(tile, 1, Epilogue.BIAS, onLoad, run.shape), all);
        GroupNormApply apply = new GroupNormApply(TYPE, 4, onLoad == OnLoad.AFFINE_SILU);
        run.card.launch(List.of(
                apply.call(run.picture, run.factors.address(), run.picture, 2, run.factors.positions(), CHANNELS)));
        float[] before = run.results(plan(tile, 1, Epilogue.BIAS, OnLoad.NOTHING, run.shape), all);
        assertThat(onTheWay).as("seed %d", SEED).isEqualTo(before);
    }

    @Test
    void picturesDoNotMix() {
        Run run = new Run(2, 9, 10);
        ConvolutionPlan plan = plan(Tile.largePatch(Arithmetic.MMA16), 1, Epilogue.BIAS, OnLoad.AFFINE_SILU, run.shape);
        int[] all = {0, run.shape.height()};
        float[] before = run.results(plan, all);
        float[] notNumbers = new float[run.shape.height() * run.shape.width() * CHANNELS];
        Arrays.fill(notNumbers, Float.NaN);
        long second = run.card.write(TYPE, notNumbers);
        // The second picture becomes one that shows wherever it gets to.
        CopyRows copy = new CopyRows(TYPE, TYPE, 4);
        int positions = run.shape.height() * run.shape.width();
        run.card.launch(List.of(copy.call(
                second, run.picture + (long) notNumbers.length * TYPE.bytes(), positions, CHANNELS, CHANNELS, CHANNELS)));
        float[] after = run.results(plan, all);
        int half = run.results / 2;
        assertThat(Arrays.copyOf(after, half)).as("seed %d", SEED).isEqualTo(Arrays.copyOf(before, half)).doesNotContain(Float.NaN);
        assertThat(Arrays.copyOfRange(after, half, run.results)).containsOnly(Float.NaN);
    }

    @Test
    void statisticsAreLeftOnlyWhereTilesAreWhole() {
        Tile tile = Tile.largePatch(Arithmetic.MMA16);
        assertThat(tile.hasWholeSlices(16, 32)).isTrue();
        assertThat(tile.hasWholeSlices(16, 24)).as("half a tile on the right").isFalse();
        assertThat(tile.hasWholeSlices(12, 32)).as("half a tile below").isFalse();
        Run run = new Run(1, 16, 16);
        Convolution convolution = plan(tile, 1, STATISTICS, OnLoad.NOTHING, run.shape).convolution();
        Convolution.Band band = convolution.band(run.shape, 4, 4);
        ProductOperands operands = new ProductOperands(0, OnLoad.Factors.NONE, 0, 0, 0, 0, 0, List.of(new Epilogue.Input(0, 0)));
        assertThatThrownBy(() -> convolution.call(operands, run.shape, band))
                .hasMessageContaining("no whole tiles for statistics");
    }

    @Test
    void whatNoTileOfPixelsDoesIsRefused() {
        Tile patch = Tile.mediumPatch(Arithmetic.MMA16);
        Convolution.Window point = new Convolution.Window(1, 1, 0, false);
        assertThatThrownBy(() -> new Convolution(TYPE, patch, true, Epilogue.BIAS, point)).hasMessageContaining("3x3");
        Convolution.Window halving = new Convolution.Window(3, 2, 1, false);
        assertThatThrownBy(() -> new Convolution(TYPE, patch, true, Epilogue.BIAS, halving)).hasMessageContaining("stride 1");
        assertThatThrownBy(() -> new Convolution(TYPE, patch, true, Epilogue.BIAS, Convolution.Window.DOUBLED)).hasMessageContaining("3x3");
        assertThatThrownBy(() -> new MatrixMultiply(TYPE, patch, true, Epilogue.BIAS)).hasMessageContaining("rows as they come");
        Tile rows = Tile.mediumTensor(Arithmetic.MMA16);
        assertThatThrownBy(() -> new Convolution(TYPE, TYPE, rows, true, Epilogue.BIAS, Convolution.Window.SAME, false, OnLoad.AFFINE))
                .hasMessageContaining("no tile of pixels");
        assertThatThrownBy(() -> new Tile(Arithmetic.FMA, 128, 128, 8, 8, 8, 16)).hasMessageContaining("pixels");
        assertThatThrownBy(() -> new Tile(Arithmetic.MMA16, 128, 128, 32, 64, 32, 32)).hasMessageContaining("32 across");
    }
}
