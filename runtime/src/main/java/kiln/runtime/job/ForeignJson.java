package kiln.runtime.job;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import kiln.runtime.base.KilnException;
import kiln.runtime.sampling.SamplerChoice;
import kiln.runtime.sampling.Schedule;

/** What another program's JSON says, collected in A1111's words. Used by one reading. */
final class ForeignJson {
    private static final int MAX_DEPTH = 100;
    private static final int MAX_CHARACTERS = 8 << 20;
    private static final int SHOWN = 80;
    private static final int MAX_NOT_UNDERSTOOD = 100;
    /** ComfyUI writes NaN. */
    private static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(MAX_DEPTH).maxStringLength(MAX_CHARACTERS).build())
                    .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
                    .build())
            .build();

    final Map<String, String> parameters = new LinkedHashMap<>();
    private final List<String> notUnderstood = new ArrayList<>();

    /** Empty for what is no object, too deep or too long. */
    static Optional<JsonNode> parse(String text) {
        if (text.length() > MAX_CHARACTERS) {
            return Optional.empty();
        }
        try {
            return Optional.ofNullable(MAPPER.readTree(text)).filter(JsonNode::isObject);
        } catch (JsonProcessingException e) {
            return Optional.empty();
        }
    }

    /** Takes a number or a text; nothing for {@code null} and what is missing. */
    void put(String key, JsonNode value) {
        if (value != null && value.isValueNode() && !value.isNull() && !value.asText().isBlank()) {
            parameters.put(key, value.asText());
        }
    }

    void put(String key, String value) {
        parameters.put(key, value);
    }

    /**
     * Names as other programs spell them: "euler_ancestral", "dpmpp_2m_sde_gpu", "dpmpp_2m_k".
     *
     * @param fallback the sampler that stands in for an unknown one; {@code null} leaves it out
     */
    void sampler(String name, String schedule, String fallback) {
        String known = name.replace("_ancestral", "_a").replaceFirst("_gpu$", "");
        boolean karras = known.endsWith("_k") && known.length() > 2;
        SamplerChoice choice = find(karras ? known.substring(0, known.length() - 2) : known);
        if (choice != null) {
            parameters.put("Sampler", choice.sampler().label());
        } else {
            notUnderstood("sampler " + name);
            if (fallback != null) {
                parameters.put("Sampler", fallback);
            }
        }
        String wanted = karras ? "karras" : schedule;
        if (wanted != null && !wanted.isEmpty()) {
            try {
                parameters.put("Schedule type", Schedule.find(wanted).label());
            } catch (KilnException e) {
                notUnderstood("schedule " + wanted);
            }
        }
    }

    private static SamplerChoice find(String name) {
        try {
            return SamplerChoice.find(name, "Automatic");
        } catch (KilnException e) {
            return null;
        }
    }

    void notUnderstood(String what) {
        if (notUnderstood.size() < MAX_NOT_UNDERSTOOD && !notUnderstood.contains(what)) {
            notUnderstood.add(what.length() > SHOWN ? what.substring(0, SHOWN) + "…" : what);
        }
    }

    /** A field that nothing here stands for; one that is off, empty or nothing is passed over. */
    void notUnderstood(String name, JsonNode value) {
        boolean says = !(value.isNull() || value.isBoolean() && !value.asBoolean() || value.isContainerNode() && value.isEmpty()
                || value.isTextual() && value.asText().isEmpty());
        if (says) {
            notUnderstood(name + ": " + (value.isValueNode() ? value.asText() : value.toString()));
        }
    }

    /** {@code name} without folders and ending. */
    static String stem(String name) {
        return name.substring(Math.max(name.lastIndexOf('/'), name.lastIndexOf('\\')) + 1).replaceFirst("\\.(safetensors|ckpt|pt|pth|bin)$", "");
    }

    PictureParameters finish(String program, String prompt, String negativePrompt) {
        return new PictureParameters(program, new InfoText(prompt, negativePrompt, parameters).format(), notUnderstood);
    }
}
