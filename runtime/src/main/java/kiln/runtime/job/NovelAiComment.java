package kiln.runtime.job;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import java.util.Set;

/** NovelAI's "Comment": the conversion of A1111's {@code images.py}, and what newer versions add that A1111 has a word for. */
final class NovelAiComment {
    private static final Set<String> UNDERSTOOD =
            Set.of("steps", "sampler", "seed", "scale", "uc", "prompt", "width", "height", "noise_schedule", "v4_prompt", "v4_negative_prompt");
    /** Of a picture that begins from noise they say nothing. */
    private static final Set<String> OF_NO_EFFECT = Set.of("strength", "noise", "n_samples", "hide_debug_overlay", "signed_hash", "version");

    private NovelAiComment() {}

    /** @param source names the model */
    static PictureParameters read(JsonNode comment, String description, String source, int width, int height) {
        ForeignJson found = new ForeignJson();
        found.put("Steps", comment.get("steps"));
        String schedule = comment.path("noise_schedule").asText();
        found.sampler(comment.path("sampler").asText(), schedule.equals("native") ? "" : schedule, "Euler a");
        found.put("CFG scale", comment.get("scale"));
        found.put("Seed", comment.get("seed"));
        found.put("Size", width + "x" + height);
        found.put("Clip skip", "2");
        found.put("ENSD", "31337");
        if (source != null) {
            found.notUnderstood("model " + source);
        }
        for (Map.Entry<String, JsonNode> field : comment.properties()) {
            if (!UNDERSTOOD.contains(field.getKey()) && !OF_NO_EFFECT.contains(field.getKey())) {
                found.notUnderstood(field.getKey(), field.getValue());
            }
        }
        for (JsonNode character : comment.path("v4_prompt").path("caption").path("char_captions")) {
            found.notUnderstood("character: " + character.path("char_caption").asText());
        }
        String base = comment.path("v4_prompt").path("caption").path("base_caption").asText();
        String prompt = !description.isEmpty() ? description : comment.path("prompt").asText(base);
        String negative = comment.path("uc").asText(comment.path("v4_negative_prompt").path("caption").path("base_caption").asText());
        return found.finish("NovelAI", prompt, negative);
    }
}
