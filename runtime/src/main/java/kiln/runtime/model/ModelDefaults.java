package kiln.runtime.model;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import kiln.runtime.job.GenerationRequest;

/**
 * What a checkpoint's own metadata says about its use: presets, the words it knows, its preview map.
 *
 * @param presets values that take the place of A1111's where the user gave none; empty for most models
 * @param vocabulary words for completion by kind ("styles", "names", "colours"); empty for most models
 * @param preview rows of three: latent channels, then 1, to RGB in 0…1; {@code null} for the usual map
 */
public record ModelDefaults(JsonNode presets, Map<String, List<String>> vocabulary, float[][] preview) {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Reads the metadata of a safetensors file; what is missing or malformed counts as not said. */
    public static ModelDefaults of(Map<String, String> metadata) {
        JsonNode words = parse(metadata.get("kiln.vocabulary"));
        Map<String, List<String>> vocabulary = new LinkedHashMap<>();
        words.properties().forEach(entry -> {
            List<String> list = new ArrayList<>();
            entry.getValue().forEach(word -> list.add(word.asText()));
            vocabulary.put(entry.getKey(), List.copyOf(list));
        });
        return new ModelDefaults(parse(metadata.get("kiln.defaults")), vocabulary, preview(parse(metadata.get("kiln.preview"))));
    }

    private static JsonNode parse(String text) {
        try {
            return text == null ? JSON.createObjectNode() : JSON.readTree(text);
        } catch (JsonProcessingException e) {
            return JSON.createObjectNode();
        }
    }

    private static float[][] preview(JsonNode rows) {
        if (!rows.isArray() || rows.size() < 2) {
            return null;
        }
        float[][] map = new float[rows.size()][3];
        for (int i = 0; i < rows.size(); i++) {
            for (int j = 0; j < 3; j++) {
                map[i][j] = (float) rows.path(i).path(j).asDouble();
            }
        }
        return map;
    }

    /** With the layer of the text encoder that the model was trained with, where the metadata names none. */
    public ModelDefaults withClipSkip(int clipSkip) {
        if (!(presets instanceof ObjectNode known) || known.has("clipSkip")) {
            return this;
        }
        return new ModelDefaults(known.deepCopy().put("clipSkip", clipSkip), vocabulary, preview);
    }

    /** A builder that starts from the model's presets instead of A1111's defaults. */
    public GenerationRequest.Builder builder() {
        return addTo(GenerationRequest.builder());
    }

    /** Puts the model's presets in the place of what the builder has. */
    public GenerationRequest.Builder addTo(GenerationRequest.Builder builder) {
        if (presets.has("width")) {
            builder.width(presets.get("width").asInt());
        }
        if (presets.has("height")) {
            builder.height(presets.get("height").asInt());
        }
        if (presets.has("steps")) {
            builder.steps(presets.get("steps").asInt());
        }
        if (presets.has("cfgScale")) {
            builder.cfgScale(presets.get("cfgScale").asDouble());
        }
        if (presets.has("sampler")) {
            builder.sampler(presets.get("sampler").asText());
        }
        if (presets.has("clipSkip")) {
            builder.clipSkip(presets.get("clipSkip").asInt());
        }
        return builder;
    }

    /** A prompt that this model can draw; empty when it names none. */
    public String firstPrompt() {
        return presets.path("prompt").asText("");
    }
}
