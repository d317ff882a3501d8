package kiln.runtime.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import kiln.runtime.base.KilnException;
import kiln.runtime.noise.NoiseKind;
import org.junit.jupiter.api.Test;

class InfoTextTest {
    private static final GenerationRequest REQUEST = GenerationRequest.builder()
            .prompt("a cat, (sitting:1.2)\non a mat").negativePrompt("ugly").sampler("k_dpmpp_2m").schedule("karras").steps(25)
            .cfgScale(7.5).seed(41).width(512).height(768).clipSkip(2).noise(NoiseKind.CPU).build();

    private static InfoText written(GenerationRequest request, long seed, String model, String hash, String version) {
        return InfoTextWriter.write(request, seed, 0, new InfoTextWriter.Model(model, hash, null, null), Map.of(), version);
    }

    private static GenerationRequest request(InfoText text, GenerationRequest base) {
        return InfoTextReader.read(text, base).request().build();
    }

    @Test
    void aRequestIsWrittenInA1111sOrder() {
        assertThat(written(REQUEST, 42, "dream", "0123456789", "kiln-0.1.0").format()).isEqualTo("a cat, (sitting:1.2)\non a mat\n"
                + "Negative prompt: ugly\n"
                + "Steps: 25, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7.5, Seed: 42, Size: 512x768, "
                + "Model hash: 0123456789, Model: dream, Clip skip: 2, RNG: CPU, Version: kiln-0.1.0");
    }

    @Test
    void whatIsNotSetIsLeftOut() {
        GenerationRequest plain = GenerationRequest.builder().prompt("cat").noise(NoiseKind.NV).build();
        assertThat(written(plain, 1, null, null, "kiln-1").format()).isEqualTo("cat\n"
                + "Steps: 20, Sampler: Euler a, Schedule type: Automatic, CFG scale: 7, Seed: 1, Size: 512x512, RNG: NV, Version: kiln-1");
    }

    @Test
    void numbersAreWrittenAsShortAsTheyAre() {
        assertThat(InfoTextWriter.number(7)).isEqualTo("7");
        assertThat(InfoTextWriter.number(7.5)).isEqualTo("7.5");
        assertThat(InfoTextWriter.number(100)).isEqualTo("100");
        assertThat(InfoTextWriter.number(0)).isEqualTo("0");
        assertThat(InfoTextWriter.number(0.0001)).isEqualTo("0.0001");
    }

    @Test
    void aWrittenTextGivesTheRequestBack() {
        InfoText text = written(REQUEST, 42, "a: strange, \"name\"\\", "0123456789", "kiln-0.1.0");
        InfoText parsed = InfoText.parse(text.format());
        assertThat(parsed).isEqualTo(text);
        GenerationRequest back = request(parsed, GenerationRequest.builder().build());
        assertThat(back).isEqualTo(REQUEST.toBuilder().seed(42).sampler("DPM++ 2M").schedule("Karras").build());
    }

    @Test
    void textsOfOtherProgramsAreRead() {
        InfoText parsed = InfoText.parse("first line\nsecond line  \nNegative prompt: bad\nworse\n"
                + "Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 965400086, Size: 512x512, Model hash: 45dee52b, "
                + "Lora hashes: \"a: 0123456789ab, b: ba9876543210\", Token merging ratio hr: 0.5, Version: v1.10.1\n");
        assertThat(parsed.prompt()).isEqualTo("first line\nsecond line");
        assertThat(parsed.negativePrompt()).isEqualTo("bad\nworse");
        assertThat(parsed.parameters()).containsEntry("Lora hashes", "a: 0123456789ab, b: ba9876543210")
                .containsEntry("Token merging ratio hr", "0.5").containsEntry("Version", "v1.10.1").hasSize(9);
        GenerationRequest request = request(parsed, REQUEST);
        assertThat(request.sampler()).isEqualTo("DPM++ 2M");
        assertThat(request.schedule()).isEqualTo("Automatic");
        assertThat(request.noise().kind()).as("A1111's default generator").isEqualTo(NoiseKind.NV);
        assertThat(request.clipSkip()).isEqualTo(1);
        assertThat(request.seed()).isEqualTo(965400086);
    }

    @Test
    void aLastLineWithFewPairsIsPrompt() {
        InfoText parsed = InfoText.parse("a cat\nstyle: oil, mood: calm");
        assertThat(parsed.prompt()).isEqualTo("a cat\nstyle: oil, mood: calm");
        assertThat(parsed.parameters()).isEmpty();
        assertThat(InfoText.parse("").prompt()).isEmpty();
        assertThat(InfoText.parse("Steps: 1, Seed: 2, Size: 8x8").prompt()).isEmpty();
    }

    @Test
    void brokenQuotesAndLongLinesAreReadWithoutTrouble() {
        assertThat(InfoText.parse("Steps: 1, Seed: 2, Note: \"open, Size: 8x8").parameters())
                .containsEntry("Note", "\"open").containsEntry("Size", "8x8");
        assertThat(InfoText.parse("Steps: 1, Seed: 2, Note: \"in\" and out, Size: 8x8").parameters())
                .containsEntry("Note", "\"in\" and out");
        String big = "\\\"x".repeat(200_000);
        assertThat(InfoText.parse("Steps: 1, Seed: 2, Note: \"" + big + "\"").parameters().get("Note")).hasSize(400_000);
        InfoText.parse("a ".repeat(500_000));
        InfoText.parse("Steps: \"".repeat(20_000));
    }

    @Test
    void numbersThatAreNoneAreNamed() {
        for (String bad : new String[] {"Steps: many", "Seed: 99999999999999999999", "Size: big", "CFG scale: x", "Steps: -4294967276"}) {
            InfoText parsed = InfoText.parse(bad + ", Key one: 1, Key two: 2");
            assertThatThrownBy(() -> request(parsed, REQUEST))
                    .isInstanceOf(KilnException.class).hasMessageContaining(bad.substring(0, bad.indexOf(':')));
        }
    }

    @Test
    void anyParametersSurviveWritingAndReading() {
        long seed = 99;
        Random random = new Random(seed);
        String letters = "ab, :\"\\n\nu0é猫\t{}=";
        for (int n = 0; n < 2000; n++) {
            Map<String, String> parameters = new LinkedHashMap<>(Map.of("Steps", "1", "Seed", "2", "Model", "m"));
            StringBuilder value = new StringBuilder();
            for (int i = random.nextInt(12); i > 0; i--) {
                value.append(letters.charAt(random.nextInt(letters.length())));
            }
            // Without a comma, colon or line break a value is written bare, and then a leading quote or outer space cannot survive.
            parameters.put("Value", value + ":");
            InfoText text = new InfoText("p", "", parameters);
            assertThat(InfoText.parse(text.format())).as("seed %d case %d", seed, n).isEqualTo(text);
        }
    }

    @Test
    void anyTextAtAllIsRead() {
        long seed = 4;
        Random random = new Random(seed);
        String[] pieces = {
            "Steps: ", "Seed", ":", ",", "\"", "\\", "\\u00", "\n", "\r", "Negative prompt:",
            " ", "8x8", "Size: ", "猫", "\0", "-1"
        };
        for (int n = 0; n < 5000; n++) {
            StringBuilder text = new StringBuilder();
            for (int i = random.nextInt(30); i > 0; i--) {
                text.append(pieces[random.nextInt(pieces.length)]);
            }
            try {
                request(InfoText.parse(text.toString()), REQUEST);
            } catch (KilnException e) {
                assertThat(e.category()).isEqualTo(KilnException.Category.BAD_REQUEST);
            } catch (RuntimeException e) {
                throw new AssertionError("seed " + seed + " case " + n + ": " + text, e);
            }
        }
    }
}
