package kiln.kernels.op;

import kiln.kernels.ptx.PtxFunction;
import kiln.kernels.ptx.PtxOp;
import kiln.kernels.ptx.PtxType;
import kiln.kernels.ptx.Space;
import kiln.kernels.ptx.Value;

/**
 * Registers with the statistics of neighbouring columns over some rows, on their way to a slice: first the mean, then the squares around it,
 * so that a mean far from 0 costs no digits.
 *
 * @param squares M2 = Σ (x − mean)²
 */
public record ColumnStatistics(Value[] means, Value[] squares) {
    /** Bytes of one column's mean and M2. */
    public static final int PAIR_BYTES = 2 * Float.BYTES;

    /**
     * Over a thread's rows and those of the lanes whose numbers differ by multiples of {@code lanesApart}, in all of them.
     *
     * @param rows each with the same columns
     * @param lanesApart a power of two; with {@link Code#WARP} a thread's rows only. All lanes of the warp take part
     */
    public static ColumnStatistics of(PtxFunction f, Value[][] rows, int lanesApart) {
        Value share = Value.of(1f / (rows.length * (Code.WARP / lanesApart)));
        Value[] means = new Value[rows[0].length];
        Value[] squares = new Value[means.length];
        for (int column = 0; column < means.length; column++) {
            Value sum = rows[0][column];
            for (int i = 1; i < rows.length; i++) {
                sum = f.add(sum, rows[i][column]);
            }
            Value mean = f.mul(overLanes(f, sum, lanesApart), share);
            Value spread = null;
            for (Value[] row : rows) {
                Value distance = f.sub(row[column], mean);
                spread = spread == null ? f.mul(distance, distance) : f.mad(distance, distance, spread);
            }
            means[column] = mean;
            squares[column] = overLanes(f, spread, lanesApart);
        }
        return new ColumnStatistics(means, squares);
    }

    private static Value overLanes(PtxFunction f, Value value, int lanesApart) {
        Value result = value;
        for (int mask = Code.WARP / 2; mask >= lanesApart; mask /= 2) {
            result = f.add(result, f.shuffleXor(result, mask));
        }
        return result;
    }

    /**
     * One column's, put together of those of several parts by Chan's formula, in their order.
     *
     * @param shared address of the first part's pair; the others lie {@code stride} bytes apart
     * @param perPart rows of each
     */
    public static ColumnStatistics combined(PtxFunction f, Value shared, int parts, int stride, int perPart) {
        Value[] means = new Value[parts];
        Value total = null;
        Value squares = null;
        for (int i = 0; i < parts; i++) {
            means[i] = f.register(PtxType.F32);
            Value more = f.register(PtxType.F32);
            f.load(Space.SHARED, shared, i * stride, means[i], more);
            total = total == null ? means[i] : f.add(total, means[i]);
            squares = squares == null ? more : f.add(squares, more);
        }
        Value mean = f.mul(total, Value.of(1f / parts));
        Value between = null;
        for (Value each : means) {
            Value distance = f.sub(each, mean);
            between = between == null ? f.mul(distance, distance) : f.mad(distance, distance, between);
        }
        return new ColumnStatistics(new Value[] {mean}, new Value[] {f.mad(between, Value.of((float) perPart), squares)});
    }

    /** Stores the columns' pairs, which are one or a multiple of two. */
    public void store(PtxFunction f, Space space, Value address) {
        if (means.length == 1) {
            f.store(space, address, 0, means[0], squares[0]);
            return;
        }
        for (int i = 0; i < means.length; i += 2) {
            f.store(space, address, i * PAIR_BYTES, means[i], squares[i], means[i + 1], squares[i + 1]);
        }
    }
}
