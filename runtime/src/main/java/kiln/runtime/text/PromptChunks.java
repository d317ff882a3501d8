package kiln.runtime.text;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A text cut into chunks of 75 tokens as A1111 cuts it: BREAK closes a chunk, and of a full chunk what follows its last comma moves to
 * the next one if that is little (see {@link PromptOptions}), so that a phrase stays whole.
 *
 * @param chunks at least one
 * @param used places of all chunks but the last, padding included, and the last one's tokens: what the web UI's counter counts
 */
public record PromptChunks(List<TokenChunk> chunks, int used) {
    public PromptChunks {
        chunks = List.copyOf(chunks);
    }

    /** The chunks of a prompt in A1111's attention grammar. */
    public static List<TokenChunk> of(ClipTokenizer tokenizer, String prompt) {
        return parse(tokenizer, prompt, PromptOptions.DEFAULT).chunks();
    }

    /** The chunks of a text in A1111's attention grammar, such as a {@link PromptSchedule} has; every text has chunks. */
    public static PromptChunks parse(ClipTokenizer tokenizer, String text, PromptOptions options) {
        if (options.oldEmphasis()) {
            return OldEmphasis.chunks(tokenizer, text, options);
        }
        ChunkBuilder builder = new ChunkBuilder(options.embeddings(), options.commaBacktrack());
        List<WeightedText> pieces = options.emphasis() == EmphasisMode.NONE
                ? List.of(new WeightedText(text, 1))
                : PromptParser.attention(text);
        for (WeightedText piece : pieces) {
            if (piece.isBreak()) {
                builder.close();
            } else {
                builder.add(tokenizer.encode(piece.text()), limited(piece.weight()));
            }
        }
        return builder.build();
    }

    /**
     * The chunks of each entry of a schedule, in its order. All have as many as the longest needs, filled up with chunks of padding:
     * the n-th chunks of all entries go through the text encoder and {@link Emphasis} together. Entries of the same text share theirs.
     */
    public static List<PromptChunks> ofSchedule(ClipTokenizer tokenizer, PromptSchedule schedule, PromptOptions options) {
        Map<String, PromptChunks> byText = new HashMap<>();
        int count = 0;
        for (String text : schedule.texts()) {
            count = Math.max(count, byText.computeIfAbsent(text, t -> parse(tokenizer, t, options)).chunks.size());
        }
        int all = count;
        byText.replaceAll((text, chunks) -> chunks.filledUpTo(all));
        return schedule.texts().stream().map(byText::get).toList();
    }

    /** How many tokens these chunks have room for. */
    public int allowed() {
        return PromptCount.of(used).allowed();
    }

    private PromptChunks filledUpTo(int count) {
        List<TokenChunk> filled = new ArrayList<>(chunks);
        while (filled.size() < count) {
            filled.add(TokenChunk.empty());
        }
        return new PromptChunks(filled, used);
    }

    private static float limited(double weight) {
        return (float) Math.max(-Float.MAX_VALUE, Math.min(Float.MAX_VALUE, weight));
    }
}
