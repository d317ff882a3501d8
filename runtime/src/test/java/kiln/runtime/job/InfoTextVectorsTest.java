package kiln.runtime.job;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import kiln.runtime.Vectors;
import kiln.runtime.sampling.SamplerChoice;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Pictures' parameters as A1111's own code reads and writes them. */
class InfoTextVectorsTest {
    static Stream<Arguments> read() {
        return having("parsed");
    }

    static Stream<Arguments> written() {
        return having("write");
    }

    static Stream<Arguments> quoted() {
        return having("quote");
    }

    private static Stream<Arguments> having(String word) {
        return Vectors.cases("infotext.json").stream()
                .filter(vector -> vector.has(word))
                .map(vector -> Arguments.of(vector.get("case").asInt(), vector));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("read")
    void aTextSaysWhatA1111Reads(int number, JsonNode vector) {
        Map<String, String> expected = new LinkedHashMap<>();
        vector.get("parsed").properties().forEach(entry -> expected.put(entry.getKey(), entry.getValue().asText()));
        Map<String, String> found = InfoTextFields.of(InfoText.parse(vector.get("text").asText()));
        assertThat(found).containsExactlyInAnyOrderEntriesOf(expected);
        JsonNode means = vector.get("means");
        SamplerChoice choice = SamplerChoice.ofInfotext(found.get("Sampler"), found.get("Schedule type"), true);
        assertThat(choice.sampler().label()).isEqualTo(means.get("sampler").asText());
        assertThat(choice.schedule().label()).isEqualTo(means.get("schedule").asText());
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("written")
    void aRequestIsWrittenAsA1111WritesIt(int number, JsonNode vector) {
        JsonNode write = vector.get("write");
        JsonNode p = write.path("p");
        int index = write.path("index").asInt(0);
        GenerationRequest.Builder request = GenerationRequest.builder()
                .prompt(write.get("prompts").get(index).asText())
                .negativePrompt(p.path("all_negative_prompts").path(index).asText(""))
                .sampler(p.path("sampler_name").asText("Euler a"))
                .schedule(p.path("scheduler").asText("Automatic"))
                .steps(p.path("steps").asInt(20))
                .width(p.path("width").asInt(512))
                .height(p.path("height").asInt(512))
                .clipSkip(p.path("clip_skip").asInt(1));
        if (p.has("subseed_strength") || p.has("seed_resize_from_w")) {
            request.variation(new GenerationRequest.Variation(
                    10, p.path("subseed_strength").asDouble(0), p.path("seed_resize_from_w").asInt(0), p.path("seed_resize_from_h").asInt(0)));
        }
        if (p.hasNonNull("eta")) {
            request.eta(p.get("eta").asDouble());
        }
        write.path("settings").properties()
                .forEach(entry -> Setting.find(entry.getKey()).ifPresent(row -> request.set(row, entry.getValue().asText())));
        InfoTextWriter.Model model = new InfoTextWriter.Model(
                p.path("sd_model_name").asText("v1-5"),
                p.path("sd_model_hash").asText("6ce0161689"),
                p.path("sd_vae_name").asText(null),
                p.path("sd_vae_hash").asText(null));
        InfoText text = InfoTextWriter.write(request.build(), 1 + index, 10 + index, model, extras(p), "v1.10.1");
        // Python writes a number as it got it, 7 or 7.0, and ours as short as it is: the scale is the one that tells.
        Map<String, String> fields = new LinkedHashMap<>(text.parameters());
        fields.put("CFG scale", new BigDecimal(p.path("cfg_scale").asText("7.0")).toPlainString());
        // A sampler writes its eta when it runs, and in the vectors none ran.
        fields.remove("Eta");
        assertThat(new InfoText(text.prompt(), text.negativePrompt(), fields).format()).isEqualTo(vector.get("text").asText());
    }

    /** What our requests cannot ask for comes with whatever does it. */
    private static Map<String, String> extras(JsonNode p) {
        Map<String, String> extras = new LinkedHashMap<>();
        if (p.path("is_using_inpainting_conditioning").asBoolean()) {
            extras.put("Conditional mask weight", "1.0");
        }
        if (p.has("token_merging_ratio")) {
            extras.put("Token merging ratio", p.get("token_merging_ratio").asText());
        }
        if (p.has("token_merging_ratio_hr")) {
            extras.put("Token merging ratio hr", p.get("token_merging_ratio_hr").asText());
        }
        if (p.hasNonNull("restore_faces")) {
            extras.put("Face restoration", p.get("restore_faces").asText());
        }
        if (p.path("tiling").asBoolean()) {
            extras.put("Tiling", "True");
        }
        p.path("extra_generation_params").properties().forEach(entry -> extras.put(entry.getKey(), entry.getValue().asText()));
        return extras;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("quoted")
    void valuesAreQuotedAsA1111Does(int number, JsonNode vector) {
        String value = vector.get("quote").isBoolean() ? "True" : vector.get("quote").asText();
        String expected = vector.get("quoted").isBoolean() ? "True" : vector.get("quoted").asText();
        String line = new InfoText("", "", Map.of("Key", value)).format().strip();
        assertThat(line).isEqualTo("Key: " + expected);
        InfoText back = InfoText.parse("Steps: 1, Seed: 2, " + line);
        assertThat(back.parameters().get("Key")).isEqualTo(value);
    }
}
