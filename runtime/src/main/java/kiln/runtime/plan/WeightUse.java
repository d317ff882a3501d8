package kiln.runtime.plan;

import java.util.Objects;

/**
 * A parameter as a run uses it.
 *
 * @param bytes on the device
 * @param flops of one run, from the first node that reads it to the one before the next parameter's: the time in which others can be
 *     copied
 */
public record WeightUse(String name, long bytes, double flops) {
    public WeightUse {
        Objects.requireNonNull(name, "name");
        if (bytes < 1 || !(flops >= 0) || Double.isInfinite(flops)) {
            throw new IllegalArgumentException(name + ": " + bytes + " bytes, " + flops + " FLOPs");
        }
    }
}
