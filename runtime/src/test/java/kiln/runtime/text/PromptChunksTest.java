package kiln.runtime.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class PromptChunksTest {
    private static final int CAT = 2368;
    private static final int COMMA = 267;
    private final ClipTokenizer tokenizer = ClipTokenizer.load();

    @Test
    void anEmptyPromptIsOneChunkOfPadding() {
        PromptChunks prompt = PromptChunks.parse(tokenizer, "", PromptOptions.DEFAULT);
        assertThat(prompt.chunks()).hasSize(1);
        assertThat(prompt.chunks().get(0).ids()[0]).isEqualTo(ClipTokenizer.START);
        assertThat(Arrays.stream(prompt.chunks().get(0).ids()).skip(1)).containsOnly(ClipTokenizer.END);
        assertThat(prompt.chunks().get(0).isPlain()).isTrue();
        assertThat(prompt.used()).isZero();
        assertThat(prompt.allowed()).isEqualTo(75);
    }

    @Test
    void weightsStandBesideTheirTokens() {
        TokenChunk chunk = PromptChunks.of(tokenizer, "a (cat:1.5) [dog]").get(0);
        assertThat(Arrays.copyOf(chunk.ids(), 5)).containsExactly(ClipTokenizer.START, 320, CAT, 1929, ClipTokenizer.END);
        assertThat(Arrays.copyOf(chunk.weights(), 5)).containsExactly(1, 1, 1.5f, (float) (1 / 1.1), 1);
        assertThat(chunk.isPlain()).isFalse();
    }

    @Test
    void seventySixWordsWithoutACommaSpillOne() {
        assertThat(sizes("cat ".repeat(75))).containsExactly(75);
        assertThat(sizes("cat ".repeat(76))).containsExactly(75, 1);
    }

    @Test
    void aCommaNearTheEndTakesWhatFollowsItAlong() {
        assertThat(sizes("cat ".repeat(60) + "," + " cat".repeat(19))).containsExactly(61, 19);
        List<TokenChunk> chunks = PromptChunks.of(tokenizer, "cat ".repeat(60) + "," + " cat".repeat(19));
        assertThat(chunks.get(0).ids()[61]).isEqualTo(COMMA);
        assertThat(chunks.get(1).ids()[1]).isEqualTo(CAT);
        assertThat(sizes("cat ".repeat(55) + "," + " cat".repeat(20))).containsExactly(56, 20);
    }

    @Test
    void aCommaFartherThanTwentyTokensStays() {
        assertThat(sizes("cat ".repeat(54) + "," + " cat".repeat(21))).containsExactly(75, 1);
        assertThat(sizes("cat ".repeat(44) + "," + " cat".repeat(31))).containsExactly(75, 1);
    }

    @Test
    void aCommaAsTokenSeventySixStartsTheNextChunk() {
        assertThat(sizes("cat ".repeat(60) + "," + " cat".repeat(14) + ", cat")).containsExactly(75, 2);
        assertThat(sizes("cat ".repeat(74) + ", cat")).containsExactly(75, 1);
    }

    @Test
    void breakClosesTheChunkEvenAnEmptyOne() {
        assertThat(sizes("cat BREAK dog")).containsExactly(1, 1);
        assertThat(sizes("cat BREAK BREAK dog")).containsExactly(1, 0, 1);
        assertThat(sizes("BREAK")).containsExactly(0);
        assertThat(sizes("cat BREAK")).containsExactly(1);
        assertThat(PromptChunks.of(tokenizer, "(cat BREAK dog:1.5)")).as("a word inside weights").hasSize(1);
    }

    @Test
    void countsThePaddingOfAllChunksButTheLast() {
        PromptChunks prompt = PromptChunks.parse(tokenizer, "cat BREAK cat, dog", PromptOptions.DEFAULT);
        assertThat(prompt.used()).isEqualTo(75 + 3);
        assertThat(prompt.allowed()).isEqualTo(150);
    }

    @Test
    void emphasisKeepsTheMean() {
        float[] context = {1, 2, 3, 4, 5, 6};
        Emphasis.apply(context, new float[] {1, 2, 1});
        // Weighted 1 2 6 8 5 6 = 28, from 21: everything × 0.75.
        assertThat(context).containsExactly(0.75f, 1.5f, 4.5f, 6, 3.75f, 4.5f);
    }

    @Test
    void emphasisLeavesAPlainChunkAlone() {
        float[] context = {0.1f, -0.3f, 7};
        Emphasis.apply(context, new float[] {1, 1, 1});
        assertThat(context).containsExactly(0.1f, -0.3f, 7);
        assertThatThrownBy(() -> Emphasis.apply(context, new float[2])).isInstanceOf(IllegalArgumentException.class);
    }

    /** How many tokens of text each chunk holds. */
    private List<Integer> sizes(String prompt) {
        return PromptChunks.of(tokenizer, prompt).stream()
                .map(chunk -> (int) Arrays.stream(chunk.ids()).filter(id -> id < ClipTokenizer.START).count())
                .toList();
    }
}
