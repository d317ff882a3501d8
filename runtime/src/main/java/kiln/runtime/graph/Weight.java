package kiln.runtime.graph;

import java.util.ArrayList;
import java.util.List;

/**
 * A parameter: one tensor of the checkpoint, or several put together along the first dimension (packed q, k and v).
 *
 * @param names the tensors' full names
 * @param shape of the whole, as in the checkpoint
 */
public record Weight(List<String> names, List<Integer> shape) {
    public Weight {
        names = List.copyOf(names);
        shape = List.copyOf(shape);
        if (names.isEmpty() || shape.isEmpty()) {
            throw new IllegalArgumentException("a weight needs a name and a shape");
        }
    }

    public long elements() {
        return shape.stream().mapToLong(Integer::longValue).reduce(1, Math::multiplyExact);
    }

    /** The first dimension: output channels of matrices and kernels. */
    public int rows() {
        return shape.get(0);
    }

    /** Weights of equal trailing shape, one below the other. */
    static Weight stacked(List<Weight> parts) {
        List<String> names = new ArrayList<>();
        int rows = 0;
        for (Weight part : parts) {
            names.addAll(part.names);
            rows += part.rows();
        }
        List<Integer> shape = new ArrayList<>(parts.get(0).shape);
        shape.set(0, rows);
        return new Weight(names, shape);
    }

    @Override
    public String toString() {
        return String.join("+", names);
    }
}
