package kiln.runtime.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class PromptTest {
    private static final int CAT = 2368;
    private static final int DOG = 1929;
    private final ClipTokenizer tokenizer = ClipTokenizer.load();

    @Test
    void aPromptIsReadInA1111sOrder() {
        Prompt prompt = Prompt.positive(
                "[cat:dog:0.5] <lora:x:1> # AND hidden\nAND [<hyper:y>:bird:3] :0.5", ScheduleSteps.first(10), PromptOptions.DEFAULT);
        assertThat(prompt.networks()).extracting(ExtraNetwork::name).containsExactly("lora", "hyper");
        assertThat(prompt.parts()).extracting(Prompt.Part::weight).containsExactly(1.0, 0.5);
        assertThat(prompt.parts().get(0).schedule().texts()).containsExactly("cat", "dog");
        assertThat(prompt.parts().get(1).schedule().entries())
                .containsExactly(new PromptSchedule.Entry(3, " "), new PromptSchedule.Entry(10, " bird"));
    }

    @Test
    void aNegativePromptHasNeitherNetworksNorParts() {
        Prompt prompt = Prompt.negative("<lora:x:1> AND [a:b:2]", ScheduleSteps.first(4), PromptOptions.DEFAULT);
        assertThat(prompt.networks()).isEmpty();
        assertThat(prompt.parts()).hasSize(1);
        assertThat(prompt.parts().get(0).schedule().texts()).containsExactly("<lora:x:1> AND a", "<lora:x:1> AND b");
    }

    @Test
    void commentsCanBeLeftIn() {
        Prompt prompt = Prompt.positive("a #b", ScheduleSteps.first(4), PromptOptions.DEFAULT.withComments(false));
        assertThat(prompt.parts().get(0).schedule().texts()).containsExactly("a #b");
    }

    @Test
    void theCounterTakesTheLongestTextThatIsSeen() {
        Prompt prompt = Prompt.positive("[cat:cat cat cat:2] AND cat cat", ScheduleSteps.first(4), PromptOptions.DEFAULT);
        assertThat(prompt.count(tokenizer, PromptOptions.DEFAULT)).hasToString("3/75");
        Prompt empty = Prompt.positive("", ScheduleSteps.first(4), PromptOptions.DEFAULT);
        assertThat(empty.count(tokenizer, PromptOptions.DEFAULT)).hasToString("0/75");
        Prompt parts = Prompt.positive("cat BREAK cat", ScheduleSteps.first(4), PromptOptions.DEFAULT);
        assertThat(parts.count(tokenizer, PromptOptions.DEFAULT)).isEqualTo(new PromptCount(76, 150));
    }

    @Test
    void textsOfAScheduleHaveEquallyManyChunks() {
        PromptSchedule schedule = PromptSchedule.of("[cat:" + "cat ".repeat(80) + ":2] dog", ScheduleSteps.first(4));
        List<PromptChunks> chunks = PromptChunks.ofSchedule(tokenizer, schedule, PromptOptions.DEFAULT);
        assertThat(chunks).extracting(c -> c.chunks().size()).containsExactly(2, 2);
        assertThat(chunks.get(0).chunks().get(1)).isEqualTo(TokenChunk.empty());
        assertThat(chunks.get(0).used()).isEqualTo(2);
        PromptSchedule alternating = PromptSchedule.of("[cat|dog]", ScheduleSteps.first(4));
        List<PromptChunks> shared = PromptChunks.ofSchedule(tokenizer, alternating, PromptOptions.DEFAULT);
        assertThat(shared.get(2)).isSameAs(shared.get(0)).isNotEqualTo(shared.get(1));
    }

    @Test
    void emphasisCountsATextAsOftenAsItOccurs() {
        float[] weights = {1, 2, 1};
        float[] plain = {1, 1, 1};
        float[] first = {1, 2, 3};
        float[] second = {4, 5, 6};
        float[] third = second.clone();
        Emphasis.apply(List.of(first, second, third), List.of(weights, plain, plain), new int[] {1, 1, 1}, EmphasisMode.ORIGINAL);
        float[] once = {1, 2, 3};
        float[] twice = {4, 5, 6};
        Emphasis.apply(List.of(once, twice), List.of(weights, plain), new int[] {1, 2}, EmphasisMode.ORIGINAL);
        assertThat(once).containsExactly(first);
        assertThat(twice).containsExactly(second).containsExactly(third);
        // 6 + 15 + 15 = 36, weighted 38.
        assertThat(first[1]).isEqualTo(4f * 36 / 38);
    }

    @Test
    void theOtherModesKeepToTheirNames() {
        for (EmphasisMode mode : EmphasisMode.values()) {
            assertThat(EmphasisMode.find(mode.label().toUpperCase(Locale.ROOT))).contains(mode);
        }
        float[] ignored = {1, 2};
        Emphasis.apply(List.of(ignored), List.of(new float[] {3, 1}), new int[] {1}, EmphasisMode.IGNORE);
        assertThat(ignored).containsExactly(1, 2);
        assertThat(EmphasisMode.find("loud")).isEmpty();
    }

    @Test
    void embeddingsAreFoundByTheirNamesTokens() {
        Map<String, Integer> vectors = new LinkedHashMap<>();
        vectors.put("cat", 2);
        vectors.put("Cat dog", 3);
        vectors.put("CAT", 5);
        vectors.put("fish", 76);
        vectors.put(" ", 1);
        PromptOptions options = PromptOptions.DEFAULT.withEmbeddings(EmbeddingVocabulary.of(tokenizer, vectors));
        TokenChunk chunk = PromptChunks.parse(tokenizer, "dog (CAT DOG:1.5) cat fish", options).chunks().get(0);
        assertThat(chunk.embeddings()).containsExactly(new EmbeddingPlace(2, "Cat dog", 3), new EmbeddingPlace(5, "cat", 2));
        assertThat(Arrays.copyOfRange(chunk.ids(), 1, 9)).containsExactly(DOG, 0, 0, 0, 0, 0, 2759, ClipTokenizer.END);
        assertThat(chunk.weights()[3]).isEqualTo(1.5f);
    }

    @Test
    void anEmbeddingThatMovesOnBehindACommaLeavesItsVectorsAsInA1111() {
        PromptOptions options = PromptOptions.DEFAULT.withEmbeddings(EmbeddingVocabulary.of(tokenizer, Map.of("dog", 2)));
        List<TokenChunk> chunks = PromptChunks.parse(tokenizer, "cat ".repeat(70) + ", dog cat cat cat", options).chunks();
        assertThat(chunks.get(0).embeddings()).containsExactly(new EmbeddingPlace(72, "dog", 2));
        assertThat(chunks.get(1).embeddings()).isEmpty();
        assertThat(Arrays.copyOfRange(chunks.get(1).ids(), 1, 7)).containsExactly(0, 0, CAT, CAT, CAT, ClipTokenizer.END);
    }

    @Test
    void oldEmphasisCountsBracketsAsTheyStand() {
        PromptOptions options = PromptOptions.DEFAULT.withOldEmphasis(true);
        TokenChunk chunk = PromptChunks.parse(tokenizer, "cat ((dog) cat [cat]", options).chunks().get(0);
        assertThat(Arrays.copyOfRange(chunk.ids(), 1, 6)).containsExactly(CAT, DOG, CAT, CAT, ClipTokenizer.END);
        assertThat(chunk.weights()[1]).isEqualTo(1);
        // 1.1², 1.1 and 1 again, up to the rounding of a division.
        assertThat(chunk.weights()[2]).isCloseTo(1.21f, Offset.offset(1e-6f));
        assertThat(chunk.weights()[3]).isCloseTo(1.1f, Offset.offset(1e-6f));
        assertThat(chunk.weights()[4]).isCloseTo(1, Offset.offset(1e-6f));
        PromptChunks cut = PromptChunks.parse(tokenizer, "cat ".repeat(100), options);
        assertThat(cut.chunks()).hasSize(1);
        assertThat(cut.used()).isEqualTo(100);
    }

    @Test
    void novelAisBracketsBecomeWeights() {
        assertThat(NovelAiPrompt.toWebUi("a {{cat}} [dog]")).isEqualTo("a (cat:1.1025) (dog:0.952381)");
        assertThat(NovelAiPrompt.toWebUi("1girl (solo) {x:1.2")).isEqualTo("1girl \\(solo\\) (x:1.2:1.05)");
        assertThat(NovelAiPrompt.toWebUi("a} ]b")).isEqualTo("a} \\]b");
        assertThat(NovelAiPrompt.withQualityTags("cat")).isEqualTo("masterpiece, best quality, cat");
        assertThat(NovelAiPrompt.UndesiredContent.LOW_QUALITY.with("dog")).startsWith("lowres, text").endsWith("blurry, dog");
        assertThat(NovelAiPrompt.UndesiredContent.NONE.with("dog")).isEqualTo("dog");
        assertThat(PromptParser.attention(NovelAiPrompt.toWebUi("{".repeat(1000) + "x"))).hasSize(1);
    }

    @Test
    void whatCannotBeIsRefused() {
        assertThatThrownBy(() -> ScheduleSteps.first(0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> PromptOptions.DEFAULT.withCommaBacktrack(75)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new EmbeddingPlace(76, "x", 2)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new PromptSchedule(List.of())).isInstanceOf(IllegalArgumentException.class);
    }
}
