package kiln.runtime.text;

import java.util.Objects;

/**
 * How prompts are read; A1111's settings of the same purpose.
 *
 * @param comments whether {@code #} hides the rest of a line (enable_prompt_comments)
 * @param emphasis what weights do (emphasis)
 * @param commaBacktrack how far from a full chunk's end a comma may be so that what follows it moves to the next chunk, 0 to 74; 0 moves
 *     nothing (comma_padding_backtrack)
 * @param oldEmphasis token-wise brackets and a single chunk, as in the autumn of 2022 (use_old_emphasis_implementation)
 * @param embeddings that a prompt may name
 */
public record PromptOptions(
        boolean comments, EmphasisMode emphasis, int commaBacktrack, boolean oldEmphasis, EmbeddingVocabulary embeddings) {
    /** A1111's own presets, without embeddings. */
    public static final PromptOptions DEFAULT = new PromptOptions(true, EmphasisMode.ORIGINAL, 20, false, EmbeddingVocabulary.EMPTY);

    public PromptOptions {
        Objects.requireNonNull(emphasis, "emphasis");
        Objects.requireNonNull(embeddings, "embeddings");
        if (commaBacktrack < 0 || commaBacktrack >= TokenChunk.CAPACITY) {
            throw new IllegalArgumentException("comma backtrack " + commaBacktrack + ": 0 to " + (TokenChunk.CAPACITY - 1));
        }
    }

    public PromptOptions withComments(boolean value) {
        return new PromptOptions(value, emphasis, commaBacktrack, oldEmphasis, embeddings);
    }

    public PromptOptions withEmphasis(EmphasisMode value) {
        return new PromptOptions(comments, value, commaBacktrack, oldEmphasis, embeddings);
    }

    public PromptOptions withCommaBacktrack(int value) {
        return new PromptOptions(comments, emphasis, value, oldEmphasis, embeddings);
    }

    public PromptOptions withOldEmphasis(boolean value) {
        return new PromptOptions(comments, emphasis, commaBacktrack, value, embeddings);
    }

    public PromptOptions withEmbeddings(EmbeddingVocabulary value) {
        return new PromptOptions(comments, emphasis, commaBacktrack, oldEmphasis, value);
    }
}
