package kiln.runtime.text;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The embeddings (textual inversions) that a prompt may name: words that stand for vectors of their own. They are found by their name's
 * tokens, so case does not matter and a name may be several words; the longest that fits wins.
 *
 * <p>Immutable.
 */
public final class EmbeddingVocabulary {
    /** No embedding. */
    public static final EmbeddingVocabulary EMPTY = new EmbeddingVocabulary(Map.of());

    private final Map<Integer, List<Word>> byFirstToken;

    private EmbeddingVocabulary(Map<Integer, List<Word>> byFirstToken) {
        this.byFirstToken = byFirstToken;
    }

    /** @param vectors of the embedding, 1 to {@link TokenChunk#CAPACITY} */
    record Word(String name, int[] ids, int vectors) {}

    /**
     * @param vectors how many each name stands for; of two names with the same tokens the first in the map's order wins. One that is
     *     longer than a chunk cannot be used, and its name stays a word.
     */
    public static EmbeddingVocabulary of(ClipTokenizer tokenizer, Map<String, Integer> vectors) {
        Map<Integer, List<Word>> words = new HashMap<>();
        vectors.forEach((name, count) -> {
            int[] ids = tokenizer.encode(name);
            if (ids.length > 0 && count >= 1 && count <= TokenChunk.CAPACITY) {
                words.computeIfAbsent(ids[0], first -> new ArrayList<>()).add(new Word(name, ids, count));
            }
        });
        words.values().forEach(list -> list.sort(Comparator.comparingInt((Word word) -> word.ids.length).reversed()));
        return new EmbeddingVocabulary(words);
    }

    /** The embedding whose name begins at token {@code at}, or null. */
    Word at(int[] tokens, int at) {
        for (Word word : byFirstToken.getOrDefault(tokens[at], List.of())) {
            int end = at + word.ids.length;
            if (end <= tokens.length && Arrays.equals(tokens, at, end, word.ids, 0, word.ids.length)) {
                return word;
            }
        }
        return null;
    }
}
