package kiln.runtime.sampling;

import java.util.Objects;

/**
 * A network's answer under guidance. The sampler reads both arrays before its next call and does not keep them.
 *
 * @param guided both halves combined, as long as the input
 * @param unconditional the unconditional half alone; the array {@code guided} itself where only one half was run
 */
public record GuidedOutput(float[] guided, float[] unconditional) {
    public GuidedOutput {
        Objects.requireNonNull(guided, "guided");
        if (unconditional.length != guided.length) {
            throw new IllegalArgumentException("halves of " + guided.length + " and " + unconditional.length + " numbers");
        }
    }

    /** An answer of one half only. */
    public static GuidedOutput of(float[] output) {
        return new GuidedOutput(output, output);
    }
}
