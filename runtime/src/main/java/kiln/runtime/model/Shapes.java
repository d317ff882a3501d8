package kiln.runtime.model;

import java.util.List;
import java.util.function.Function;
import kiln.runtime.graph.ModelException;

/** Looks at a checkpoint's shapes below one prefix. */
record Shapes(Function<String, List<Integer>> all, String prefix) {
    boolean has(String tensor) {
        return all.apply(prefix + tensor) != null;
    }

    int size(String tensor, int dimension) {
        List<Integer> shape = all.apply(prefix + tensor);
        if (shape == null) {
            throw new ModelException("tensor " + prefix + tensor + " is missing: not a Stable Diffusion 1.x checkpoint");
        }
        if (shape.size() <= dimension) {
            throw new ModelException("tensor " + prefix + tensor + " has the shape " + shape + ": more dimensions are needed");
        }
        return shape.get(dimension);
    }

    /** How many tensors pattern(0), pattern(1), … there are without a gap. */
    int count(Function<Integer, String> pattern) {
        int n = 0;
        while (has(pattern.apply(n))) {
            n++;
        }
        return n;
    }
}
