package kiln.runtime.text;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A prompt cut into chunks of 75 tokens as A1111 cuts it: BREAK closes a chunk, and a full chunk whose last comma is at most
 * {@value #COMMA_BACKTRACK} tokens from its end gives what follows that comma to the next one, so that a phrase stays whole.
 *
 * @param chunks at least one
 * @param used tokens of the text itself, without padding
 */
public record PromptChunks(List<TokenChunk> chunks, int used) {
    private static final int COMMA = 267;
    private static final int COMMA_BACKTRACK = 20;

    public PromptChunks {
        chunks = List.copyOf(chunks);
    }

    /** The chunks of a prompt in A1111's attention grammar; throws as {@link PromptParser#attention} does. */
    public static List<TokenChunk> of(ClipTokenizer tokenizer, String prompt) {
        return parse(tokenizer, prompt).chunks();
    }

    /** The chunks and their count for the screen; throws as {@link PromptParser#attention} does. */
    public static PromptChunks parse(ClipTokenizer tokenizer, String prompt) {
        return of(tokenizer, PromptParser.attention(prompt));
    }

    /** The chunks of a prompt whose weights are known already. */
    public static PromptChunks of(ClipTokenizer tokenizer, List<WeightedText> pieces) {
        Builder builder = new Builder();
        for (WeightedText piece : pieces) {
            if (piece.isBreak()) {
                builder.close();
            } else {
                for (int id : tokenizer.encode(piece.text())) {
                    builder.add(id, (float) piece.weight());
                }
            }
        }
        return builder.build();
    }

    /** How many tokens these chunks have room for. */
    public int allowed() {
        return chunks.size() * TokenChunk.CAPACITY;
    }

    private static final class Builder {
        private final List<TokenChunk> closed = new ArrayList<>();
        private final int[] ids = new int[TokenChunk.CAPACITY];
        private final float[] weights = new float[TokenChunk.CAPACITY];
        private int size;
        private int lastComma = -1;
        private int used;

        void add(int id, float weight) {
            used++;
            if (id == COMMA) {
                lastComma = size;
            } else if (size == TokenChunk.CAPACITY && lastComma >= 0 && size - lastComma <= COMMA_BACKTRACK) {
                moveWhatFollowsTheComma();
            }
            if (size == TokenChunk.CAPACITY) {
                close();
            }
            ids[size] = id;
            weights[size] = weight;
            size++;
        }

        private void moveWhatFollowsTheComma() {
            int from = lastComma + 1;
            int[] movedIds = Arrays.copyOfRange(ids, from, size);
            float[] movedWeights = Arrays.copyOfRange(weights, from, size);
            size = from;
            close();
            System.arraycopy(movedIds, 0, ids, 0, movedIds.length);
            System.arraycopy(movedWeights, 0, weights, 0, movedWeights.length);
            size = movedIds.length;
        }

        void close() {
            int[] allIds = new int[TokenChunk.LENGTH];
            float[] allWeights = new float[TokenChunk.LENGTH];
            Arrays.fill(allIds, ClipTokenizer.END);
            Arrays.fill(allWeights, 1);
            allIds[0] = ClipTokenizer.START;
            System.arraycopy(ids, 0, allIds, 1, size);
            System.arraycopy(weights, 0, allWeights, 1, size);
            closed.add(new TokenChunk(allIds, allWeights));
            size = 0;
            lastComma = -1;
        }

        PromptChunks build() {
            if (size > 0 || closed.isEmpty()) {
                close();
            }
            return new PromptChunks(closed, used);
        }
    }
}
