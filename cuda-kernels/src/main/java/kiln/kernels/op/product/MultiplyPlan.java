package kiln.kernels.op.product;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import kiln.kernels.DataType;
import kiln.kernels.KernelCall;
import kiln.kernels.op.Arithmetic;
import kiln.kernels.op.Card;

/**
 * How a matrix product runs on a card: in one launch, or, where its tiles are too few to keep the card busy, in parts of the channels whose
 * sums a second kernel adds. The same card and sizes give the same plan, and the sums have a fixed order: no result depends on which block
 * is done first.
 *
 * @param product stores results, or, with more than one part, bare sums
 * @param sum {@code null} with one part
 */
public record MultiplyPlan(
        MatrixMultiply product, int parts, SplitSum sum, int rows, int columns, int channels, int aStride, int outStride) {
    /** Cards of few multiprocessors split little and need a fraction of it. */
    public static final long MOST_WORK_BYTES = 16 << 20;

    public MultiplyPlan {
        Objects.requireNonNull(product, "product");
        if (product.partial() != (parts > 1) || (sum == null) != (parts == 1)) {
            throw new IllegalArgumentException("gemm " + product.variant() + " in " + parts + " parts");
        }
    }

    /**
     * {@link Epilogue.Step#STATISTICS} are left out where the launches cannot leave them ({@link #statisticsSlice}); {@link #calls} then takes
     * no input for them.
     *
     * @param matrices of the batch; only single ones are split
     * @param positions how many of the rows are one picture's
     * @param onLoad for a single matrix; every plan can do it
     */
    public static MultiplyPlan choose(
            DataType type,
            DataType weights,
            Card card,
            int rows,
            int columns,
            int channels,
            int aStride,
            int outStride,
            int matrices,
            Epilogue epilogue,
            int positions,
            OnLoad onLoad) {
        TileChoice.Product size = new TileChoice.Product(rows, columns, channels, 1, matrices);
        for (Arithmetic arithmetic : List.of(Arithmetic.best(type, card.capability()), Arithmetic.FMA)) {
            TileChoice choice = TileChoice.of(card, arithmetic, type.bytes(), size, matrices > 1 ? 0 : MOST_WORK_BYTES);
            if (MatrixMultiply.canUseVectors(choice.tile(), columns, channels, aStride, outStride)) {
                boolean split = choice.parts() > 1;
                int perSlice = split ? SplitSum.SLICE : choice.tile().statisticsSlice();
                boolean whole = matrices == 1 && positions % perSlice == 0;
                Epilogue possible = whole ? epilogue : epilogue.withoutStatistics();
                return new MultiplyPlan(
                        new MatrixMultiply(type, weights, choice.tile(), true, split ? Epilogue.NONE : possible, split, onLoad),
                        choice.parts(),
                        split ? SplitSum.of(type, weights, possible, columns, outStride) : null,
                        rows,
                        columns,
                        channels,
                        aStride,
                        outStride);
            }
        }
        MatrixMultiply any = new MatrixMultiply(type, weights, Tile.SMALL, false, epilogue.withoutStatistics(), false, onLoad);
        return new MultiplyPlan(any, 1, null, rows, columns, channels, aStride, outStride);
    }

    /** How many positions a slice of the statistics has that the launches leave; 0 where they leave none. Some rows are whole slices. */
    public int statisticsSlice() {
        Epilogue epilogue = sum == null ? product.epilogue() : sum.epilogue();
        int perSlice = sum == null ? product.tile().statisticsSlice() : SplitSum.SLICE;
        return epilogue.leavesStatistics() ? perSlice : 0;
    }

    /** Device memory that {@link #calls} uses between its launches and nobody after them. */
    public long workBytes() {
        return TileChoice.workBytes(new TileChoice.Product(rows, columns, channels, 1, 1), parts);
    }

    /**
     * The launches, in order. Arguments as for {@link MatrixMultiply#call}.
     *
     * @param work address of {@link #workBytes} bytes; with one part, ignored
     */
    public List<KernelCall> calls(
            long a, long weights, long scales, long out, long work, MatrixMultiply.Batch batch, long bias, List<Epilogue.Input> inputs) {
        return calls(a, weights, scales, out, work, batch, rows, bias, inputs);
    }

    /**
     * The launches for some neighbouring rows, to the bit as in the whole.
     *
     * @param a address of the first of them; so is {@code out} in the result, and so are the inputs
     */
    public List<KernelCall> calls(
            long a,
            long weights,
            long scales,
            long out,
            long work,
            MatrixMultiply.Batch batch,
            int someRows,
            long bias,
            List<Epilogue.Input> inputs) {
        return calls(a, weights, scales, out, work, batch, someRows, bias, inputs, OnLoad.Factors.NONE);
    }

    /**
     * The same with any {@link OnLoad}.
     *
     * @param factors the first picture's are those of the first of these rows; {@code positions} of them are one picture's
     */
    public List<KernelCall> calls(
            long a,
            long weights,
            long scales,
            long out,
            long work,
            MatrixMultiply.Batch batch,
            int someRows,
            long bias,
            List<Epilogue.Input> inputs,
            OnLoad.Factors factors) {
        if (someRows < 1 || someRows > rows) {
            throw new IllegalArgumentException("gemm " + product.variant() + ": " + someRows + " rows of " + rows);
        }
        if (parts == 1) {
            return List.of(product.call(a, weights, scales, out, someRows, columns, channels, aStride, outStride, batch, bias, inputs, factors));
        }
        List<KernelCall> calls = new ArrayList<>();
        calls.add(product.partialCall(a, weights, work, someRows, columns, channels, aStride, parts, factors));
        calls.add(sum.call(work, parts, scales, out, someRows, columns, outStride, bias, inputs));
        return List.copyOf(calls);
    }
}
