package kiln.runtime.text;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Fills chunks of 75 tokens, one after another, as A1111 does. */
final class ChunkBuilder {
    private static final int COMMA = 267;

    private final EmbeddingVocabulary embeddings;
    private final int commaBacktrack;
    private final List<TokenChunk> closed = new ArrayList<>();
    private final int[] ids = new int[TokenChunk.CAPACITY];
    private final float[] weights = new float[TokenChunk.CAPACITY];
    private final List<EmbeddingPlace> places = new ArrayList<>();
    private int size;
    private int lastComma = -1;

    ChunkBuilder(EmbeddingVocabulary embeddings, int commaBacktrack) {
        this.embeddings = embeddings;
        this.commaBacktrack = commaBacktrack;
    }

    /** The tokens of a text, all of one weight. */
    void add(int[] tokens, float weight) {
        for (int at = 0; at < tokens.length; ) {
            makeRoom(tokens[at]);
            EmbeddingVocabulary.Word word = embeddings.at(tokens, at);
            if (word == null) {
                put(tokens[at], weight);
                at++;
            } else {
                add(word, weight);
                at += word.ids().length;
            }
        }
    }

    private void makeRoom(int token) {
        if (token == COMMA) {
            lastComma = size;
        } else if (size == TokenChunk.CAPACITY && lastComma >= 0 && size - lastComma <= commaBacktrack) {
            moveWhatFollowsTheComma();
        }
        if (size == TokenChunk.CAPACITY) {
            close();
        }
    }

    private void add(EmbeddingVocabulary.Word word, float weight) {
        if (size + word.vectors() > TokenChunk.CAPACITY) {
            close();
        }
        places.add(new EmbeddingPlace(size + 1, word.name(), word.vectors()));
        for (int i = 0; i < word.vectors(); i++) {
            put(0, weight);
        }
    }

    private void put(int id, float weight) {
        ids[size] = id;
        weights[size] = weight;
        size++;
    }

    /** Of an embedding only its tokens move, as in A1111: its vectors stay where they were, over padding, and the tokens are read as 0. */
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

    /** Ends the chunk, an empty one too. */
    void close() {
        TokenChunk chunk = TokenChunk.empty();
        System.arraycopy(ids, 0, chunk.ids(), 1, size);
        System.arraycopy(weights, 0, chunk.weights(), 1, size);
        closed.add(new TokenChunk(chunk.ids(), chunk.weights(), places));
        places.clear();
        size = 0;
        lastComma = -1;
    }

    PromptChunks build() {
        int used = closed.size() * TokenChunk.CAPACITY + size;
        if (size > 0 || closed.isEmpty()) {
            close();
        }
        return new PromptChunks(closed, used);
    }
}
