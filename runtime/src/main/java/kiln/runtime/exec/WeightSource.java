package kiln.runtime.exec;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.function.Consumer;

/** Where an executor finds a checkpoint's parameters. */
public interface WeightSource {
    /** The shape, {@code null} where there is no such tensor. */
    List<Integer> shape(String tensor);

    /** Writes the elements in row-major order, converted to 32 bits. */
    void read(String tensor, FloatBuffer target);

    /** Writes as many elements as fit into the target, from {@code begin} on: for tables of which few rows are needed. */
    void readRange(String tensor, long begin, FloatBuffer target);

    /** Whether the elements are kept as 16-bit floats (IEEE halves), so that {@link #lendHalves} hands them out. */
    default boolean hasHalves(String tensor) {
        return false;
    }

    /**
     * Lends the elements as they are kept: 16-bit floats, little-endian, in row-major order, from position 0 on. Once the reader has
     * returned, no thread may use them.
     *
     * @throws UnsupportedOperationException when there are none: see {@link #hasHalves}
     */
    default void lendHalves(String tensor, Consumer<ByteBuffer> reader) {
        throw new UnsupportedOperationException(tensor + " is not kept as 16-bit floats");
    }
}
