package kiln.weights;

import java.util.List;
import java.util.Objects;

/**
 * A tensor's name, number format and shape (sizes from the outermost dimension inwards; empty for a single number).
 * Elements are in row-major order.
 */
public record TensorInfo(String name, DType dtype, List<Long> shape) {
    /**
     * @throws IllegalArgumentException when a size is negative, the tensor has more than 2^63 - 1 bits, or its elements
     *     do not fill whole bytes
     */
    public TensorInfo {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(dtype, "dtype");
        shape = List.copyOf(shape);
        long bits = dtype.bits();
        boolean empty = shape.contains(0L);
        for (long size : shape) {
            if (size < 0) {
                throw new IllegalArgumentException("shape " + shape + " has a negative size");
            }
            if (!empty && Math.multiplyHigh(bits, size) != 0 || !empty && bits * size < 0) {
                throw new IllegalArgumentException("shape " + shape + " has more elements than a file can hold");
            }
            bits *= size;
        }
        if (!empty && bits % 8 != 0) {
            throw new IllegalArgumentException("shape " + shape + " of " + dtype + " does not fill whole bytes");
        }
    }

    public TensorInfo(String name, DType dtype, long... shape) {
        this(name, dtype, java.util.Arrays.stream(shape).boxed().toList());
    }

    /** The number of dimensions. */
    public int rank() {
        return shape.size();
    }

    /** The size of one dimension, counted from 0 at the outermost. */
    public long size(int dimension) {
        return shape.get(dimension);
    }

    /** The number of elements: the product of the sizes, 1 for a single number. */
    public long elements() {
        long elements = 1;
        for (long size : shape) {
            elements *= size;
        }
        return elements;
    }

    /** The bytes that the elements take when packed. */
    public long bytes() {
        long elements = elements();
        return dtype.bits() < 8 ? elements * dtype.bits() / 8 : elements * dtype.bytes();
    }
}
