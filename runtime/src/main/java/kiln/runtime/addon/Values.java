package kiln.runtime.addon;

import java.util.Arrays;

/**
 * A tensor's elements in row-major order.
 *
 * <p>The arrays are shared, not copied: treat them as read-only.
 */
record Values(int[] shape, float[] data) {
    Values {
        if (Arrays.stream(shape).asLongStream().reduce(1, Math::multiplyExact) != data.length) {
            throw new IllegalArgumentException(data.length + " elements for the shape " + Arrays.toString(shape));
        }
    }

    int size(int dimension) {
        return shape[dimension];
    }

    /** The first size; 1 for a single number. */
    int rows() {
        return shape.length == 0 ? 1 : shape[0];
    }

    /** The elements of a row: all sizes but the first. */
    int columns() {
        return rows() == 0 ? 0 : data.length / rows();
    }

    /** The product of two matrices; what stands behind the first dimension counts as one. */
    Values times(Values right) {
        float[] product = new float[Math.multiplyExact(rows(), right.columns())];
        Matrices.addProduct(product, this, right, columns(), 1);
        return new Values(new int[] {rows(), right.columns()}, product);
    }
}
