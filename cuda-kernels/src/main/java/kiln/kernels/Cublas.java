package kiln.kernels;

import java.util.Objects;

/**
 * NVIDIA's cuBLAS on one {@link CudaContext}, which opens it: {@code out = a · wᵀ}, as {@link kiln.kernels.op.product.MatrixMultiply} defines it,
 * with nothing behind it. The same sizes are always summed in the same order.
 *
 * <p>Threads as for the context. Whoever opened it closes it, before the context.
 */
public interface Cublas extends AutoCloseable {
    /**
     * Sizes of a product, all matrices with adjacent rows.
     *
     * @param type of both factors and the result; sums are 32-bit
     * @param rows of a and of the result
     * @param columns of the result, rows of w
     * @param channels that are summed over, columns of a and of w
     */
    record Product(DataType type, int rows, int columns, int channels) {
        public Product {
            Objects.requireNonNull(type, "type");
            if (!DataType.FLOATS.contains(type) || rows < 1 || columns < 1 || channels < 1) {
                throw new IllegalArgumentException("a product of " + type + ", " + rows + "x" + columns + "x" + channels);
            }
        }

        /** As in tables: "gemm f16 4096x320x320". */
        public String label() {
            return "gemm " + type.label() + " " + rows + "x" + columns + "x" + channels;
        }
    }

    /** "12.6.4". */
    String version();

    /**
     * Queues the product.
     *
     * @throws CudaException when cuBLAS refuses it
     */
    void multiply(Product product, long a, long weights, long out, CudaContext.Stream stream);

    @Override
    void close();
}
