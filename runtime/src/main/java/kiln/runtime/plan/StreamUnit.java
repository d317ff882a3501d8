package kiln.runtime.plan;

import java.util.List;

/**
 * Weights that are copied together, side by side as they lie in the slot.
 *
 * @param weights their places in the demand's list, ascending
 * @param bytes in the slot, alignment included
 */
public record StreamUnit(List<Integer> weights, long bytes) {
    public StreamUnit {
        weights = List.copyOf(weights);
        if (weights.isEmpty() || bytes < 1) {
            throw new IllegalArgumentException(weights.size() + " weights, " + bytes + " bytes");
        }
    }
}
