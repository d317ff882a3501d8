package kiln.runtime.job;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import kiln.runtime.image.PictureTexts;

/**
 * How a picture was made, from the texts in it, whichever program wrote them: A1111's parameters as they are, NovelAI's, ComfyUI's,
 * InvokeAI's and Fooocus' as far as they say the same in A1111's words. Immutable.
 *
 * @param program which wrote the texts, for people
 * @param infoText A1111's parameters text, for {@link InfoText#parse}
 * @param notUnderstood what the program says beyond that, for people: names and short values
 */
public record PictureParameters(String program, String infoText, List<String> notUnderstood) {
    private static final String COMFY_GRAPH = "prompt";
    /** What ComfyUI's animated WebP puts before its graph, in EXIF's place for the camera's model. */
    private static final String COMFY_IN_EXIF = "prompt:";
    private static final String INVOKE = "invokeai_metadata";
    private static final String DREAM = "sd-metadata";
    private static final String FOOOCUS_SCHEME = "fooocus_scheme";

    public PictureParameters {
        Objects.requireNonNull(program, "program");
        Objects.requireNonNull(infoText, "infoText");
        notUnderstood = List.copyOf(notUnderstood);
    }

    /**
     * @param texts as {@link kiln.runtime.image.PictureReader} gives them
     * @param width of the picture, which some programs do not write down, and {@code height}
     * @return empty when nothing in them is known
     */
    public static Optional<PictureParameters> of(Map<String, String> texts, int width, int height) {
        if ("NovelAI".equals(texts.get("Software")) && texts.containsKey("Comment")) {
            Optional<PictureParameters> read = ForeignJson.parse(texts.get("Comment"))
                    .map(comment -> NovelAiComment.read(comment, texts.getOrDefault("Description", ""), texts.get("Source"), width, height));
            if (read.isPresent()) {
                return read;
            }
        }
        // The order in which A1111 lets one text take another's place.
        for (String place : List.of(PictureTexts.COMMENT, PictureTexts.USER_COMMENT, InfoText.PNG_KEYWORD, PictureTexts.STEALTH)) {
            Optional<PictureParameters> read = Optional.ofNullable(texts.get(place))
                    .flatMap(text -> ofText(text, place.equals(InfoText.PNG_KEYWORD), texts, width, height));
            if (read.isPresent()) {
                return read;
            }
        }
        String camera = texts.getOrDefault("Model", "");
        String graph = camera.startsWith(COMFY_IN_EXIF) ? camera.substring(COMFY_IN_EXIF.length()) : texts.get(COMFY_GRAPH);
        if (graph != null) {
            return ForeignJson.parse(graph).flatMap(ComfyGraph::read);
        }
        if (texts.containsKey(INVOKE)) {
            return ForeignJson.parse(texts.get(INVOKE)).map(FlatParameters::ofInvokeAi);
        }
        return Optional.ofNullable(texts.get(DREAM)).flatMap(ForeignJson::parse).map(FlatParameters::ofDream);
    }

    /**
     * A text that may be in A1111's form or a JSON object of one of the others.
     *
     * @param promptAlone whether its place says that it is a prompt even when no parameters follow
     */
    private static Optional<PictureParameters> ofText(
            String text, boolean promptAlone, Map<String, String> texts, int width, int height) {
        if (!text.stripLeading().startsWith("{")) {
            InfoText parsed = InfoText.parse(text);
            return parsed.parameters().isEmpty() && !(promptAlone && !text.isBlank()) ? Optional.empty()
                    : Optional.of(new PictureParameters(program(parsed.parameters().getOrDefault("Version", "")), text.strip(), List.of()));
        }
        Optional<JsonNode> json = ForeignJson.parse(text);
        if (json.isEmpty()) {
            return Optional.empty();
        }
        JsonNode root = json.get();
        if (root.has("Comment") && root.path("Software").asText().equals("NovelAI")) {
            // What is hidden in NovelAI's pixels is its PNG's texts as one object.
            Map<String, String> inside = new LinkedHashMap<>();
            root.properties().forEach(field -> inside.put(field.getKey(), field.getValue().isTextual()
                    ? field.getValue().asText() : field.getValue().toString()));
            inside.remove(PictureTexts.STEALTH);
            return of(inside, width, height);
        }
        if (texts.containsKey(FOOOCUS_SCHEME) || root.has("base_model") && root.has("guidance_scale")) {
            return Optional.of(FlatParameters.ofFooocus(root));
        }
        if (root.has("positive_prompt") && root.has("cfg_scale")) {
            return Optional.of(FlatParameters.ofInvokeAi(root));
        }
        return ComfyGraph.read(root);
    }

    private static String program(String version) {
        if (version.startsWith("kiln-")) {
            return "Kiln " + version.substring("kiln-".length());
        } else if (version.matches("v1\\..*")) {
            return "AUTOMATIC1111's web UI " + version;
        } else if (version.matches("f\\d.*")) {
            return "Forge " + version;
        }
        return version.isEmpty() ? "a program that writes as AUTOMATIC1111's web UI does" : version;
    }
}
