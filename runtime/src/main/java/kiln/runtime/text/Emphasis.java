package kiln.runtime.text;

/** A1111's emphasis "Original": how a token's weight changes what the text encoder gave for it. */
public final class Emphasis {
    private Emphasis() {}

    /**
     * Multiplies each token's vector by its weight, then everything by the ratio of the means before and after, so that the whole
     * keeps its mean. In place.
     *
     * @param context the encoder's output of one call, {@code [tokens, width]}, start, end and padding included
     * @param weights one for each of the call's tokens
     */
    public static void apply(float[] context, float[] weights) {
        if (weights.length == 0 || context.length % weights.length != 0) {
            throw new IllegalArgumentException(context.length + " values do not divide among " + weights.length + " tokens");
        }
        int width = context.length / weights.length;
        double before = sum(context);
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
        if (plain) {
            return;
        }
        float ratio = (float) (before / sum(context));
        for (int i = 0; i < context.length; i++) {
            context[i] *= ratio;
        }
    }

    private static double sum(float[] values) {
        double sum = 0;
        for (float value : values) {
            sum += value;
        }
        return sum;
    }
}
