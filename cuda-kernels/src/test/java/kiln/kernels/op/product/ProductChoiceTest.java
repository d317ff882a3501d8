package kiln.kernels.op.product;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import kiln.kernels.DataType;
import kiln.kernels.op.Arithmetic;
import kiln.kernels.op.Card;
import kiln.kernels.op.Code;
import kiln.kernels.ptx.Target;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which variants of products and convolutions a card is given. */
class ProductChoiceTest {
    private static final ProductOperands OPERANDS = new ProductOperands(0, OnLoad.Factors.NONE, 0, 0, 0, 0, 0, List.of());

    private static MatrixMultiply choose(DataType type, int capability, int rows, int columns, int channels) {
        return multiply(type, Card.of(capability), rows, columns, channels, 1).product();
    }

    @Test
    void tensorCoresAreUsedWhereTheCardHasThem() {
        assertThat(choose(DataType.F16, 61, 8192, 640, 320).tile()).isEqualTo(Tile.LARGE);
        assertThat(choose(DataType.F16, 75, 8192, 640, 320).tile()).isEqualTo(Tile.largeTensor(Arithmetic.MMA8));
        assertThat(choose(DataType.F16, 89, 8192, 640, 320).tile()).isEqualTo(Tile.largeTensor(Arithmetic.MMA16));
        assertThat(choose(DataType.F32, 89, 8192, 640, 320).tile()).isEqualTo(Tile.LARGE);
    }

    @Test
    void smallProductsTakeSmallTiles() {
        assertThat(choose(DataType.F16, 89, 60, 640, 768).tile()).isEqualTo(Tile.mediumTensor(Arithmetic.MMA16));
        assertThat(choose(DataType.F16, 61, 2, 1280, 320).tile()).isEqualTo(Tile.SMALL);
    }

    @Test
    void columnsThatComeInSixtyFoursTakeTallTiles() {
        assertThat(convolve(new Card(61, 6), 64, 320).convolution().tile()).isEqualTo(Tile.TALL);
        assertThat(convolve(new Card(86, 28), 64, 320).convolution().tile()).isEqualTo(Tile.tallestTensor(Arithmetic.MMA16));
        assertThat(convolve(new Card(80, 108), 64, 320).convolution().tile()).isEqualTo(Tile.tallPatch(Arithmetic.MMA16));
    }

    /** SD 1.5 at 512×512 with both halves of a step: its levels' maps and channels, on a small card, a middling and a large one. */
    @ParameterizedTest
    @CsvSource({"50, 5", "61, 6", "75, 14", "75, 40", "86, 28", "89, 128", "90, 132"})
    void theNetworksConvolutionsWasteLittle(int capability, int multiprocessors) {
        Card card = new Card(capability, multiprocessors);
        int[][] sidesAndChannels = {{64, 320}, {32, 640}, {16, 1280}, {8, 1280}};
        for (int[] each : sidesAndChannels) {
            ConvolutionPlan plan = convolve(card, each[0], each[1]);
            Tile tile = plan.convolution().tile();
            int rows = plan.shape().rows();
            int columns = each[1];
            int tileRows = plan.shape().rowTiles(tile);
            int tileColumns = Code.blocks(columns, tile.columns());
            assertThat((double) rows * columns / ((double) tileRows * tile.rows() * tileColumns * tile.columns()))
                    .as("share of the tiles' results that exist, %dx%d, %s", each[0], each[0], tile.label())
                    .isGreaterThan(0.8);
            assertThat(tileRows * tileColumns * plan.parts())
                    .as("blocks, %dx%d, %s in %d parts", each[0], each[0], tile.label(), plan.parts())
                    .isGreaterThanOrEqualTo((int) (0.6 * multiprocessors));
        }
    }

    @Test
    void aWholeProductIsWhatAPlanWithoutMemoryForPartsChooses() {
        TileChoice.Product size = new TileChoice.Product(128, 1280, 11520, 1, 1);
        TileChoice split = TileChoice.of(new Card(90, 132), Arithmetic.MMA16, 2, size, MultiplyPlan.MOST_WORK_BYTES);
        TileChoice whole = TileChoice.of(new Card(90, 132), Arithmetic.MMA16, 2, size, 0);
        assertThat(whole.parts()).isEqualTo(1);
        assertThat(split.parts()).isGreaterThan(1);
        assertThat(split.clocks()).isLessThan(whole.clocks());
    }

    @Test
    void sizesThatAreNoWholeVectorsTakeTheVariantForAny() {
        assertThat(choose(DataType.F16, 86, 4096, 320, 4).tile().arithmetic()).isEqualTo(Arithmetic.FMA);
        assertThat(choose(DataType.F16, 86, 4096, 320, 4).vector()).isTrue();
        assertThat(choose(DataType.F16, 86, 4096, 3, 128).vector()).isFalse();
        Convolution.Shape shape = new Convolution.Shape(1, 64, 64, 4, 64, 64, 320);
        Convolution first = ConvolutionPlan.choose(
                        DataType.F16, DataType.F16, Card.of(86), shape, Convolution.Window.SAME, Epilogue.BIAS, OnLoad.NOTHING)
                .convolution();
        assertThat(first.vector()).isTrue();
        assertThat(first.target()).isEqualTo(Target.FLOOR);
    }

    @Test
    void whatIsToBeDoneToElementsTakesTilesOfPixelsWhereThatSavesMore() {
        Card card = new Card(86, 28);
        Convolution.Shape decoder = new Convolution.Shape(1, 512, 512, 128, 512, 512, 128);
        ConvolutionPlan large = normalise(card, decoder, 3, 1);
        assertThat(large.convolution().onLoad()).isEqualTo(OnLoad.AFFINE_SILU);
        assertThat(large.convolution().tile()).isEqualTo(Tile.largePatch(Arithmetic.MMA16));
        assertThat(large.bandRowsMultiple()).as("without statistics").isEqualTo(1);
        Convolution.Shape square = new Convolution.Shape(2, 12, 12, 1280, 12, 12, 1280);
        assertThat(normalise(card, square, 3, 1).convolution().onLoad()).as("tiles of pixels half empty").isEqualTo(OnLoad.NOTHING);
        Convolution.Shape half = new Convolution.Shape(1, 512, 512, 128, 256, 256, 128);
        assertThat(normalise(card, half, 3, 2).convolution().onLoad()).as("stride 2").isEqualTo(OnLoad.NOTHING);
        assertThat(normalise(new Card(61, 6), decoder, 3, 1).convolution().onLoad()).as("no tensor cores").isEqualTo(OnLoad.NOTHING);
        Convolution.Shape odd = new Convolution.Shape(1, 512, 512, 12, 512, 512, 128);
        assertThat(normalise(card, odd, 3, 1).convolution().onLoad()).as("channels no multiple of eight").isEqualTo(OnLoad.NOTHING);
    }

    private static ConvolutionPlan normalise(Card card, Convolution.Shape shape, int size, int stride) {
        return ConvolutionPlan.choose(
                DataType.F16, DataType.F16, card, shape, new Convolution.Window(size, stride, 1, false), Epilogue.BIAS, OnLoad.AFFINE_SILU);
    }

    @Test
    void longSumsOfFewTilesAreSplit() {
        Card card = new Card(86, 28);
        ConvolutionPlan deepest = convolve(card, 8, 1280);
        assertThat(deepest.parts()).isBetween(2, 16);
        assertThat(deepest.workBytes()).isEqualTo(deepest.parts() * 128L * 1280 * 4).isLessThanOrEqualTo(MultiplyPlan.MOST_WORK_BYTES);
        assertThat(deepest.calls(OPERANDS, Convolution.Band.whole(deepest.shape()))).hasSize(2);
        ConvolutionPlan first = convolve(card, 64, 320);
        assertThat(first.parts()).isEqualTo(1);
        assertThat(first.workBytes()).isZero();
        assertThat(first.calls(OPERANDS, Convolution.Band.whole(first.shape()))).hasSize(1);
        assertThat(convolve(new Card(61, 1), 8, 1280).parts()).as("one multiprocessor").isEqualTo(1);
    }

    @Test
    void onlySingleMatricesAreSplit() {
        Card card = new Card(90, 132);
        assertThat(multiply(card, 64, 64, 4096, 1).parts()).isGreaterThan(1);
        assertThat(multiply(card, 64, 64, 4096, 8).parts()).isEqualTo(1);
        assertThat(multiply(card, 64, 64, 64, 1).parts()).as("a short sum").isEqualTo(1);
    }

    private static ConvolutionPlan convolve(Card card, int side, int channels) {
        Convolution.Shape shape = new Convolution.Shape(2, side, side, channels, side, side, channels);
        return ConvolutionPlan.choose(DataType.F16, DataType.F16, card, shape, Convolution.Window.SAME, Epilogue.BIAS, OnLoad.NOTHING);
    }

    private static MultiplyPlan multiply(Card card, int rows, int columns, int channels, int matrices) {
        return multiply(DataType.F16, card, rows, columns, channels, matrices);
    }

    private static MultiplyPlan multiply(DataType type, Card card, int rows, int columns, int channels, int matrices) {
        return MultiplyPlan.choose(
                type,
                type,
                card,
                new MatrixMultiply.Sizes(rows, columns, channels, channels, columns),
                matrices,
                Epilogue.BIAS,
                rows,
                OnLoad.NOTHING);
    }

    @Test
    void aCallThatAVariantCannotDoIsRefused() {
        MatrixMultiply vector = choose(DataType.F16, 61, 128, 1280, 1280);
        MatrixMultiply.Sizes three = new MatrixMultiply.Sizes(1, 3, 1280, 1280, 3);
        assertThatThrownBy(() -> vector.call(OPERANDS, three, MatrixMultiply.Batch.ONE))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("3 columns");
        assertThatThrownBy(() -> new MatrixMultiply(DataType.F32, Tile.mediumTensor(Arithmetic.MMA16), true, Epilogue.NONE))
                .hasMessageContaining("f16");
    }
}
