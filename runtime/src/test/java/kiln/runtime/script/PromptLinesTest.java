package kiln.runtime.script;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import kiln.runtime.base.KilnException;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.script.PromptLines.Seeds;
import org.junit.jupiter.api.Test;

class PromptLinesTest {
    private static final GenerationRequest BASE = GenerationRequest.builder().negativePrompt("ugly").batchCount(2).build();

    private static PromptLines lines(String text, GenerationRequest base, Seeds seeds) {
        return PromptLines.of(text, base, false, seeds, AxisTest.NAMES, () -> 70);
    }

    @Test
    void eachLineIsAPrompt() {
        PromptLines lines = lines("a cat\n\n  a dog, (big:1.2)  \r\n", BASE, Seeds.AS_GIVEN);
        assertThat(lines.requests()).extracting(GenerationRequest::prompt).containsExactly("a cat", "a dog, (big:1.2)");
        assertThat(lines.requests()).extracting(GenerationRequest::negativePrompt).containsOnly("ugly");
        assertThat(lines.requests()).extracting(GenerationRequest::seed).containsOnly(-1L);
    }

    @Test
    void keysChangeTheRequest() {
        GenerationRequest request = lines(
                        "--prompt a big cat --negative_prompt \"no dogs\" at all --steps 30 --cfg_scale 4.5 --width 256 --height 320 --seed 9"
                                + " --sampler_name \"Euler Karras\" --sd_model x.ckpt --n_iter 1 --batch_size 2 --subseed 3"
                                + " --subseed_strength 0.25 --styles Oil",
                        BASE, Seeds.AS_GIVEN)
                .requests().get(0);
        assertThat(request.prompt()).isEqualTo("oil painting of a big cat");
        assertThat(request.negativePrompt()).isEqualTo("no dogs at all ugly, photo");
        assertThat(request.steps()).isEqualTo(30);
        assertThat(request.cfgScale()).isEqualTo(4.5);
        assertThat(request.width()).isEqualTo(256);
        assertThat(request.height()).isEqualTo(320);
        assertThat(request.seed()).isEqualTo(9);
        assertThat(request.sampler()).isEqualTo("Euler");
        assertThat(request.schedule()).isEqualTo("Karras");
        assertThat(request.model()).isEqualTo(Path.of("x.ckpt"));
        assertThat(request.pictureCount()).isEqualTo(2);
        assertThat(request.variation()).isEqualTo(new GenerationRequest.Variation(3, 0.25, 0, 0));
    }

    @Test
    void whatCannotBeReadSoIsAPromptAsItStands() {
        for (String line : new String[] {
            "a cat -- big", "--steps", "--steps many", "--unknown 3", "--prompt \"open", "cat --steps 3",
        }) {
            assertThat(lines(line, BASE, Seeds.AS_GIVEN).requests()).extracting(GenerationRequest::prompt).containsExactly(line);
        }
    }

    @Test
    void seedsGoOnOrStayFromLineToLine() {
        assertThat(lines("a\nb\nc", BASE, Seeds.NEXT_EACH_LINE).requests()).extracting(GenerationRequest::seed).containsExactly(70L, 72L, 74L);
        assertThat(lines("a\nb", BASE, Seeds.SAME_FOR_ALL).requests()).extracting(GenerationRequest::seed).containsExactly(70L, 70L);
        GenerationRequest seeded = BASE.toBuilder().seed(5).build();
        assertThat(lines("a\nb", seeded, Seeds.NEXT_EACH_LINE).requests()).extracting(GenerationRequest::seed).containsExactly(5L, 7L);
    }

    @Test
    void theOwnPromptStandsBehindOrBefore() {
        GenerationRequest base = BASE.toBuilder().prompt("masterpiece").build();
        assertThat(lines("cat", base, Seeds.AS_GIVEN).requests().get(0).prompt()).isEqualTo("cat masterpiece");
        assertThat(PromptLines.of("cat", base, true, Seeds.AS_GIVEN, AxisTest.NAMES, () -> 0).requests().get(0).prompt())
                .isEqualTo("masterpiece cat");
    }

    @Test
    void keysThatDoNothingHereAreTold() {
        assertThat(lines("--prompt cat --tiling true", BASE, Seeds.AS_GIVEN).notices()).containsExactly("line 1: --tiling does nothing here");
    }

    @Test
    void whatIsImpossibleIsToldWithItsLine() {
        assertThatThrownBy(() -> lines("cat\n--prompt dog --width 100", BASE, Seeds.AS_GIVEN))
                .isInstanceOf(KilnException.class)
                .hasMessageContaining("line 2")
                .hasMessageContaining("width");
    }
}
