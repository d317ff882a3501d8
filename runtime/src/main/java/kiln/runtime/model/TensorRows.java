package kiln.runtime.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import kiln.weights.TensorInfo;

/**
 * A parameter in a file: a tensor or some of its rows, as where queries, keys and values are kept one below the other.
 *
 * @param firstRow of the first dimension, as {@code rows}; a tensor without dimensions has one
 */
public record TensorRows(TensorInfo tensor, long firstRow, long rows) {
    public TensorRows {
        Objects.requireNonNull(tensor, "tensor");
        if (firstRow < 0 || rows < 0 || firstRow + rows > rowsOf(tensor)) {
            throw new IllegalArgumentException(tensor.name() + " has no rows " + firstRow + " to " + (firstRow + rows));
        }
    }

    public static TensorRows all(TensorInfo tensor) {
        return new TensorRows(tensor, 0, rowsOf(tensor));
    }

    private static long rowsOf(TensorInfo tensor) {
        return tensor.rank() == 0 ? 1 : tensor.size(0);
    }

    public boolean isAll() {
        return rows == rowsOf(tensor);
    }

    /** Sizes beyond an int are told as the largest: no network has them, and the difference shows as a shape that does not fit. */
    public List<Integer> shape() {
        List<Integer> shape = new ArrayList<>();
        for (long size : tensor.shape()) {
            shape.add((int) Math.min(size, Integer.MAX_VALUE));
        }
        if (!shape.isEmpty()) {
            shape.set(0, (int) Math.min(rows, Integer.MAX_VALUE));
        }
        return shape;
    }

    public long elements() {
        long all = rowsOf(tensor);
        return all == 0 ? 0 : tensor.elements() / all * rows;
    }

    /** Where the first element lies in the whole tensor. */
    public long firstElement() {
        long all = rowsOf(tensor);
        return all == 0 ? 0 : tensor.elements() / all * firstRow;
    }
}
