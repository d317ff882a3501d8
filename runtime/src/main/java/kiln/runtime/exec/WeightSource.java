package kiln.runtime.exec;

import java.nio.FloatBuffer;
import java.util.List;

/** Where an executor finds a checkpoint's parameters. */
public interface WeightSource {
    /** The shape, {@code null} where there is no such tensor. */
    List<Integer> shape(String tensor);

    /** Writes the elements in row-major order, converted to 32 bits. */
    void read(String tensor, FloatBuffer target);

    /** Writes as many elements as fit into the target, from {@code begin} on: for tables of which few rows are needed. */
    void readRange(String tensor, long begin, FloatBuffer target);
}
