package kiln.kernels.op;

import java.util.List;
import java.util.Objects;
import kiln.kernels.DataType;
import kiln.kernels.KernelCall;

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
    }

    /** Window as for {@link Convolution#choose}. */
    public static ConvolutionPlan choose(
            DataType type,
            DataType weights,
            Card card,
            Convolution.Shape shape,
            Epilogue epilogue,
            int size,
            int stride,
            int padBefore,
            boolean upsample) {
        TileChoice.Product product = product(shape, size);
        for (Arithmetic arithmetic : List.of(Arithmetic.best(type, card.capability()), Arithmetic.FMA)) {
            TileChoice choice = TileChoice.of(card, arithmetic, type.bytes(), product, MultiplyPlan.MOST_WORK_BYTES);
            if (Convolution.canUseVectors(choice.tile(), shape.inChannels(), shape.outChannels())) {
                boolean split = choice.parts() > 1;
                Convolution convolution = new Convolution(
                        type, weights, choice.tile(), true, split ? Epilogue.NONE : epilogue, size, stride, padBefore, upsample, split);
                SplitSum sum = split ? SplitSum.of(type, weights, epilogue, shape.outChannels(), shape.outChannels()) : null;
                return new ConvolutionPlan(convolution, choice.parts(), sum, shape);
            }
        }
        Convolution any = new Convolution(type, weights, Tile.SMALL, false, epilogue, size, stride, padBefore, upsample, false);
        return new ConvolutionPlan(any, 1, null, shape);
    }

    static TileChoice.Product product(Convolution.Shape shape, int size) {
        return new TileChoice.Product(shape.rows(), shape.outChannels(), shape.inChannels(), size * size, 1);
    }

    /** Device memory that {@link #calls} uses between its launches and nobody after them. */
    public long workBytes() {
        return TileChoice.workBytes(product(shape, convolution.size()), parts);
    }

    /**
     * The launches, in order. Arguments as for {@link Convolution#call}.
     *
     * @param work address of {@link #workBytes} bytes; with one part, ignored
     */
    public List<KernelCall> calls(long in, long weights, long scales, long out, long work, long bias, List<Epilogue.Input> inputs) {
        return calls(in, weights, scales, out, work, Convolution.Band.whole(shape), bias, inputs);
    }

    /** The launches for a band, to the bit as in the whole. */
    public List<KernelCall> calls(
            long in, long weights, long scales, long out, long work, Convolution.Band band, long bias, List<Epilogue.Input> inputs) {
        return calls(in, OnLoad.Factors.NONE, weights, scales, out, work, band, bias, inputs);
    }

    /** The same with what {@link Convolution#onLoad} does. */
    public List<KernelCall> calls(
            long in,
            OnLoad.Factors factors,
            long weights,
            long scales,
            long out,
            long work,
            Convolution.Band band,
            long bias,
            List<Epilogue.Input> inputs) {
        if (parts == 1) {
            return List.of(convolution.call(in, factors, weights, scales, out, shape, band, bias, inputs));
        }
        int columns = shape.outChannels();
        return List.of(
                convolution.partialCall(in, factors, weights, work, shape, band, parts),
                sum.call(work, parts, scales, out, shape.ofBand(band).rows(), columns, columns, bias, inputs));
    }
}
