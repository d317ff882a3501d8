package kiln.kernels.op.product;

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
public record MultiplyPlan(MatrixMultiply product, int parts, SplitSum sum, MatrixMultiply.Sizes sizes) {
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
            MatrixMultiply.Sizes sizes,
            int matrices,
            Epilogue epilogue,
            int positions,
            OnLoad onLoad) {
        TileChoice.Product size = new TileChoice.Product(sizes.rows(), sizes.columns(), sizes.channels(), 1, matrices);
        for (Arithmetic arithmetic : List.of(Arithmetic.best(type, card.capability()), Arithmetic.FMA)) {
            TileChoice choice = TileChoice.of(card, arithmetic, type.bytes(), size, matrices > 1 ? 0 : MOST_WORK_BYTES);
            if (MatrixMultiply.canUseVectors(choice.tile(), sizes)) {
                boolean split = choice.parts() > 1;
                int perSlice = split ? SplitSum.SLICE : choice.tile().statisticsSlice();
                boolean whole = matrices == 1 && positions % perSlice == 0;
                Epilogue possible = whole ? epilogue : epilogue.withoutStatistics();
                return new MultiplyPlan(
                        new MatrixMultiply(type, weights, choice.tile(), true, split ? Epilogue.NONE : possible, split, onLoad),
                        choice.parts(),
                        split ? SplitSum.of(type, weights, possible, sizes.columns(), sizes.outStride()) : null,
                        sizes);
            }
        }
        MatrixMultiply any = new MatrixMultiply(type, weights, Tile.SMALL, false, epilogue.withoutStatistics(), false, onLoad);
        return new MultiplyPlan(any, 1, null, sizes);
    }

    /** How many positions a slice of the statistics has that the launches leave; 0 where they leave none. Some rows are whole slices. */
    public int statisticsSlice() {
        Epilogue epilogue = sum == null ? product.epilogue() : sum.epilogue();
        int perSlice = sum == null ? product.tile().statisticsSlice() : SplitSum.SLICE;
        return epilogue.leavesStatistics() ? perSlice : 0;
    }

    /** Device memory that {@link #calls} uses between its launches and nobody after them. */
    public long workBytes() {
        return TileChoice.workBytes(new TileChoice.Product(sizes.rows(), sizes.columns(), sizes.channels(), 1, 1), parts);
    }

    /**
     * The launches, in order, for some neighbouring rows or all: to the bit as in the whole.
     *
     * @param operands the first picture's factors are those of the first of these rows
     */
    public List<KernelCall> calls(ProductOperands operands, MatrixMultiply.Batch batch, int someRows) {
        if (someRows < 1 || someRows > sizes.rows()) {
            throw new IllegalArgumentException("gemm " + product.variant() + ": " + someRows + " rows of " + sizes.rows());
        }
        MatrixMultiply.Sizes some = sizes.withRows(someRows);
        if (parts == 1) {
            return List.of(product.call(operands, some, batch));
        }
        return List.of(product.partialCall(operands, some, parts), sum.call(operands, parts, someRows, sizes.columns(), sizes.outStride()));
    }
}
