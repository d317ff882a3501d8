package kiln.runtime.text;

import java.util.Arrays;
import java.util.List;

/**
 * What one call of the text encoder reads: {@value #LENGTH} token ids, start and end included, and the weight of each.
 *
 * <p>The arrays are shared, not copied: treat them as read-only.
 *
 * @param embeddings whose vectors replace those of the ids at their places; the ids there say nothing
 */
public record TokenChunk(int[] ids, float[] weights, List<EmbeddingPlace> embeddings) {
    /** Tokens of text in a chunk. */
    public static final int CAPACITY = 75;

    /** With the start and the end token. */
    public static final int LENGTH = CAPACITY + 2;

    public TokenChunk {
        if (ids.length != LENGTH || weights.length != LENGTH) {
            throw new IllegalArgumentException("a chunk has " + LENGTH + " ids and weights, not " + ids.length + " and " + weights.length);
        }
        embeddings = List.copyOf(embeddings);
    }

    /** A chunk of padding, which stands for a text that has no such chunk while another has. */
    static TokenChunk empty() {
        int[] ids = new int[LENGTH];
        float[] weights = new float[LENGTH];
        Arrays.fill(ids, ClipTokenizer.END);
        Arrays.fill(weights, 1);
        ids[0] = ClipTokenizer.START;
        return new TokenChunk(ids, weights, List.of());
    }

    /** Whether every weight is 1, so that emphasis has nothing to do. */
    public boolean isPlain() {
        for (float weight : weights) {
            if (weight != 1) {
                return false;
            }
        }
        return true;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof TokenChunk that
                && Arrays.equals(ids, that.ids)
                && Arrays.equals(weights, that.weights)
                && embeddings.equals(that.embeddings);
    }

    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(ids) + Arrays.hashCode(weights);
    }

    @Override
    public String toString() {
        return "TokenChunk" + Arrays.toString(ids);
    }
}
