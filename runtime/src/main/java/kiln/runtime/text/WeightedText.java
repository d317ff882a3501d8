package kiln.runtime.text;

import java.util.Objects;

/**
 * A piece of a prompt and the weight that brackets gave it.
 *
 * @param weight 1 is plain; A1111 marks a chunk break as the text {@code BREAK} with weight −1
 */
public record WeightedText(String text, double weight) {
    private static final String BREAK_WORD = "BREAK";

    /** Closes the chunk of 75 tokens before it. */
    static final WeightedText BREAK = new WeightedText(BREAK_WORD, -1);

    public WeightedText {
        Objects.requireNonNull(text, "text");
    }

    public boolean isBreak() {
        return equals(BREAK);
    }
}
