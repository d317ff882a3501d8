package kiln.runtime.text;

import java.util.List;

/** How a token's weight changes what the text encoder gave for it, in A1111's ways ({@link EmphasisMode}). */
public final class Emphasis {
    private Emphasis() {}

    /** {@link EmphasisMode#ORIGINAL} for a chunk that stands alone; in place. */
    public static void apply(float[] context, float[] weights) {
        apply(List.of(context), List.of(weights), new int[] {1}, EmphasisMode.ORIGINAL);
    }

    /**
     * Multiplies each token's vector by its weight and, in the original mode, everything by the ratio of the means before and after, so
     * that the whole keeps its mean. The mean is taken over all texts of a schedule: A1111 encodes them together. In place.
     *
     * @param contexts the encoder's output for the n-th chunk of each text that occurs in a schedule, {@code [tokens, width]}, start,
     *     end and padding included; each array once
     * @param weights for each of them one for each token
     * @param times how often each of these texts occurs in the schedule
     */
    public static void apply(List<float[]> contexts, List<float[]> weights, int[] times, EmphasisMode mode) {
        if (contexts.size() != weights.size() || contexts.size() != times.length) {
            throw new IllegalArgumentException(
                    contexts.size() + " contexts, " + weights.size() + " lists of weights, " + times.length + " counts");
        }
        if (mode == EmphasisMode.IGNORE || mode == EmphasisMode.NONE) {
            return;
        }
        boolean original = mode == EmphasisMode.ORIGINAL;
        double before = original ? sum(contexts, times) : 0;
        boolean plain = true;
        for (int i = 0; i < contexts.size(); i++) {
            plain &= multiply(contexts.get(i), weights.get(i));
        }
        if (plain || !original) {
            return;
        }
        float ratio = (float) (before / sum(contexts, times));
        for (float[] context : contexts) {
            for (int i = 0; i < context.length; i++) {
                context[i] *= ratio;
            }
        }
    }

    /** Whether all weights are 1. */
    private static boolean multiply(float[] context, float[] weights) {
        if (weights.length == 0 || context.length % weights.length != 0) {
            throw new IllegalArgumentException(context.length + " values do not divide among " + weights.length + " tokens");
        }
        int width = context.length / weights.length;
        boolean plain = true;
        for (int token = 0; token < weights.length; token++) {
            float weight = weights[token];
            if (weight != 1) {
                plain = false;
                for (int i = token * width; i < (token + 1) * width; i++) {
                    context[i] *= weight;
                }
            }
        }
        return plain;
    }

    private static double sum(List<float[]> contexts, int[] times) {
        double all = 0;
        for (int i = 0; i < times.length; i++) {
            double sum = 0;
            for (float value : contexts.get(i)) {
                sum += value;
            }
            all += times[i] * sum;
        }
        return all;
    }
}
