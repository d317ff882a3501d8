package kiln.runtime.script;

import static org.assertj.core.api.Assertions.assertThat;

import kiln.runtime.job.GenerationRequest;
import kiln.runtime.script.PromptMatrix.Mark;
import kiln.runtime.script.PromptMatrix.Options;
import org.junit.jupiter.api.Test;

class PromptMatrixTest {
    private static final GenerationRequest BASE =
            GenerationRequest.builder().prompt("a cat| red ,|big|old").negativePrompt("n|m").seed(5).batchSize(3).build();

    @Test
    void everyCombinationHasItsNumbersBits() {
        PromptMatrix matrix = PromptMatrix.of(BASE, Options.USUAL);
        assertThat(matrix.requests()).extracting(GenerationRequest::prompt).containsExactly(
                "a cat", "a cat, red ", "a cat, big", "a cat, red , big", "a cat, old", "a cat, red , old", "a cat, big, old",
                "a cat, red , big, old");
        assertThat(matrix.requests()).extracting(GenerationRequest::seed).containsOnly(5L);
        assertThat(matrix.requests()).extracting(GenerationRequest::batchSize).containsOnly(1);
        assertThat(matrix.rows()).isEqualTo(2);
        assertThat(matrix.columnMarks()).hasSize(4);
        assertThat(matrix.columnMarks().get(1)).containsExactly(new Mark(" red ,", true), new Mark("big", false));
        assertThat(matrix.rowMarks().get(1)).containsExactly(new Mark("old", true));
    }

    @Test
    void optionsChangeWhatIsJoinedAndWhere() {
        PromptMatrix matrix = PromptMatrix.of(BASE, new Options(true, true, true, " "));
        assertThat(matrix.requests()).extracting(GenerationRequest::negativePrompt).containsExactly("n", "m n");
        assertThat(matrix.requests()).extracting(GenerationRequest::prompt).containsOnly(BASE.prompt());
        assertThat(matrix.requests()).extracting(GenerationRequest::seed).containsExactly(5L, 6L);
    }

    @Test
    void aPromptWithoutBarsIsOnePicture() {
        PromptMatrix matrix = PromptMatrix.of(BASE.toBuilder().prompt("cat").build(), Options.USUAL);
        assertThat(matrix.requests()).hasSize(1);
        assertThat(matrix.rows()).isEqualTo(1);
    }
}
