package kiln.runtime.text;

import java.util.ArrayList;
import java.util.List;

/**
 * Emphasis as A1111 had it until the end of September 2022, for pictures from then: brackets are tokens that change the weight of all
 * that follows them, there are no numbers, and what does not fit into one chunk is left out.
 */
final class OldEmphasis {
    private static final double STEP = 1.1;

    private OldEmphasis() {}

    static PromptChunks chunks(ClipTokenizer tokenizer, String text, PromptOptions options) {
        int[] tokens = tokenizer.encode(text);
        TokenChunk chunk = TokenChunk.empty();
        List<EmbeddingPlace> places = new ArrayList<>();
        double weight = 1;
        int size = 0;
        for (int at = 0; at < tokens.length; ) {
            EmbeddingVocabulary.Word word = options.embeddings().at(tokens, at);
            double factor = options.emphasis() == EmphasisMode.NONE ? 1 : factor(tokenizer.text(tokens[at]));
            if (factor != 1) {
                weight *= factor;
                at++;
                continue;
            }
            int length = word == null ? 1 : word.vectors();
            if (word != null && size < TokenChunk.CAPACITY) {
                places.add(new EmbeddingPlace(size + 1, word.name(), Math.min(length, TokenChunk.CAPACITY - size)));
            }
            for (int i = 0; i < length; i++, size++) {
                if (size < TokenChunk.CAPACITY) {
                    chunk.ids()[size + 1] = word == null ? tokens[at] : 0;
                    chunk.weights()[size + 1] = (float) weight;
                }
            }
            at += word == null ? 1 : word.ids().length;
        }
        return new PromptChunks(List.of(new TokenChunk(chunk.ids(), chunk.weights(), places)), size);
    }

    /** What a token's brackets multiply by; several may be one token. */
    private static double factor(String token) {
        double factor = 1;
        for (int i = 0; i < token.length(); i++) {
            char c = token.charAt(i);
            if (c == '(' || c == ']') {
                factor *= STEP;
            } else if (c == ')' || c == '[') {
                factor /= STEP;
            }
        }
        return factor;
    }
}
