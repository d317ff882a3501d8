package kiln.kernels.op.product;

import java.util.List;
import java.util.Objects;
import kiln.kernels.DataType;
import kiln.kernels.KernelCall;
import kiln.kernels.op.Arithmetic;
import kiln.kernels.op.Card;
import kiln.kernels.op.norm.GroupNormStatistics;

/**
 * How a convolution runs on a card, as {@link MultiplyPlan} for a matrix product: the deep levels' small maps have few tiles and long sums.
 *
 * @param convolution stores results, or, with more than one part, bare sums
 * @param sum {@code null} with one part
 */
public record ConvolutionPlan(Convolution convolution, int parts, SplitSum sum, Convolution.Shape shape) {
    public ConvolutionPlan {
        Objects.requireNonNull(convolution, "convolution");
        Objects.requireNonNull(shape, "shape");
        if (convolution.partial() != (parts > 1) || (sum == null) != (parts == 1)) {
            throw new IllegalArgumentException("convolution " + convolution.variant() + " in " + parts + " parts");
        }
        if (sum != null && sum.scaled() != convolution.leavesScales()) {
            throw new IllegalArgumentException("convolution " + convolution.variant() + ": its parts added by " + sum.variant());
        }
    }

    /**
     * Window as for {@link Convolution}. {@link Epilogue.Step#STATISTICS} are left out where the launches cannot leave them ({@link
     * #statisticsSlice}); {@link #calls} then takes no input for them.
     *
     * @param onLoad what is to be done to the picture's elements. Not every plan does it: {@link Convolution#onLoad} tells, and where it is
     *     nothing a pass before the convolution has to
     */
    public static ConvolutionPlan choose(
            DataType type,
            DataType weights,
            Card card,
            Convolution.Shape shape,
            Convolution.Window window,
            Epilogue epilogue,
            OnLoad onLoad) {
        TileChoice.Product product = product(shape, window, onLoad);
        for (Arithmetic arithmetic : List.of(Arithmetic.best(type, card.capability()), Arithmetic.FMA)) {
            TileChoice choice = TileChoice.of(card, arithmetic, type.bytes(), product, MultiplyPlan.MOST_WORK_BYTES);
            Tile tile = choice.tile();
            if (Convolution.canUseVectors(tile, shape.inChannels(), shape.outChannels())) {
                boolean split = choice.parts() > 1;
                Convolution.Shape positions = window.positions(shape);
                boolean whole = split
                        ? shape.outHeight() * shape.outWidth() % SplitSum.SLICE == 0
                        : tile.hasWholeSlices(positions.outHeight(), positions.outWidth());
                Epilogue possible = whole ? epilogue : epilogue.withoutStatistics();
                OnLoad done = tile.isPatch() ? onLoad : OnLoad.NOTHING;
                Convolution convolution = new Convolution(
                        type, weights, tile, true, split ? Epilogue.NONE : possible, window, split, done);
                SplitSum sum = split ? convolution.sumOfParts(possible, shape.outChannels()) : null;
                return new ConvolutionPlan(convolution, choice.parts(), sum, shape);
            }
        }
        Convolution any = new Convolution(
                type, weights, Tile.SMALL, false, epilogue.withoutStatistics(), window, false);
        return new ConvolutionPlan(any, 1, null, shape);
    }

    static TileChoice.Product product(Convolution.Shape shape, Convolution.Window window, OnLoad onLoad) {
        TileChoice.Product.Map map = window.takesPatches()
                ? new TileChoice.Product.Map(shape.batch(), shape.outHeight(), shape.outWidth())
                : null;
        int rows = window.positions(shape).rows();
        int taps = window.stored() * window.stored();
        int products = window.upsample() ? Doubling.PARITIES : 1;
        return new TileChoice.Product(rows, shape.outChannels(), shape.inChannels(), taps, products, map, onLoad);
    }

    private TileChoice.Product product() {
        return product(shape, convolution.window(), convolution.onLoad());
    }

    /** How many positions a slice of the statistics has that the launches leave; 0 where they leave none. A band has whole slices. */
    public int statisticsSlice() {
        Epilogue epilogue = sum == null ? convolution.epilogue() : sum.epilogue();
        int perSlice = sum == null ? convolution.tile().statisticsSlice() : SplitSum.SLICE;
        return epilogue.leavesStatistics() ? perSlice : 0;
    }

    /**
     * What a band's rows have to be a multiple of: so that it has whole slices of the statistics that the launches leave, and both rows that a
     * row of a doubled picture makes.
     */
    public int bandRowsMultiple() {
        int least = convolution.window().upsample() ? 2 : 1;
        if (statisticsSlice() == 0) {
            return least;
        }
        if (sum == null && convolution.tile().isPatch()) {
            return convolution.tile().patchHeight();
        }
        if (sum == null) {
            int width = convolution.window().positions(shape).outWidth();
            return least * GroupNormStatistics.rowsOfSlices(width, statisticsSlice());
        }
        // Parts of a slice are powers of two.
        return Math.max(least, GroupNormStatistics.rowsOfSlices(shape.outWidth(), statisticsSlice()));
    }

    /** Device memory that {@link #calls} uses between its launches and nobody after them. */
    public long workBytes() {
        return TileChoice.workBytes(product(), parts);
    }

    /** The launches, in order, for a band or all: to the bit as in the whole. */
    public List<KernelCall> calls(ProductOperands operands, Convolution.Band band) {
        if (parts == 1) {
            return List.of(convolution.call(operands, shape, band));
        }
        TiledProduct.requireSlices(sum.epilogue(), SplitSum.SLICE, band.rows() * shape.outWidth());
        int columns = shape.outChannels();
        return List.of(
                convolution.partialCall(operands, shape, band, parts),
                sum.call(operands, parts, shape.ofBand(band).rows(), columns, columns));
    }
}
