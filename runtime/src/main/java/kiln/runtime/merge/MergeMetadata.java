package kiln.runtime.merge;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import kiln.weights.ModelCatalog;
import kiln.weights.ModelHashes;

/** What A1111 writes into a merged file: how it was made, of which models, and what these say of themselves. */
final class MergeMetadata {
    private static final String RECIPE = "sd_merge_recipe";
    private static final String MODELS = "sd_merge_models";
    private static final ObjectMapper JSON = new ObjectMapper();

    private MergeMetadata() {}

    /**
     * @param models A, B and C; {@code null} where there is none
     * @param hashes gives a file's SHA-256; {@code null} when models are not to be hashed, which leaves out their hashes
     * @param customName the file's name without ending
     * @param inputChannels as {@link MergePlan#inputChannels}
     */
    static Map<String, String> of(MergeRecipe recipe, List<MergeInput> models, Function<Path, String> hashes, String customName, long inputChannels) {
        Map<String, String> metadata = new LinkedHashMap<>();
        models.stream().filter(Objects::nonNull).forEach(model -> metadata.putAll(model.metadata()));
        ObjectNode all = JSON.createObjectNode();
        for (MergeInput model : models) {
            if (model != null && hashes != null) {
                ObjectNode about = all.putObject(hashes.apply(model.path()));
                about.put("name", model.path().getFileName().toString());
                about.put("legacy_hash", ModelHashes.legacyHash(model.path()));
                about.set(RECIPE, parsed(model.metadata().get(RECIPE)));
            }
        }
        for (MergeInput model : models) {
            if (model != null && parsed(model.metadata().get(MODELS)) instanceof ObjectNode before) {
                before.properties().forEach(entry -> all.putIfAbsent(entry.getKey(), entry.getValue()));
            }
        }
        metadata.put("format", "pt");
        metadata.put(RECIPE, recipe(recipe, models, hashes, customName, inputChannels).toString());
        metadata.put(MODELS, all.toString());
        return metadata;
    }

    private static ObjectNode recipe(
            MergeRecipe recipe, List<MergeInput> models, Function<Path, String> hashes, String customName, long inputChannels) {
        ObjectNode node = JSON.createObjectNode().put("type", "kiln");
        List<String> places = List.of("primary_model_hash", "secondary_model_hash", "tertiary_model_hash");
        for (int i = 0; i < places.size(); i++) {
            node.put(places.get(i), models.get(i) == null || hashes == null ? null : hashes.apply(models.get(i).path()));
        }
        node.put("interp_method", recipe.method().label());
        node.put("multiplier", recipe.multiplier());
        if (recipe.blocks() != null) {
            recipe.blocks().values().forEach(node.putArray("block_weights")::add);
        }
        return node.put("save_as_half", recipe.format() == MergeRecipe.Format.F16)
                .put("custom_name", customName)
                .put("bake_in_vae", recipe.vae() == null ? "None" : recipe.vae().getFileName().toString())
                .put("discard_weights", recipe.discard() == null ? "" : recipe.discard().pattern())
                .put("is_inpainting", inputChannels == 9)
                .put("is_instruct_pix2pix", inputChannels == 8);
    }

    /** What an earlier merge wrote: an object, or null for whatever else stands there. */
    private static JsonNode parsed(String json) {
        try {
            return json != null && JSON.readTree(json) instanceof ObjectNode object ? object : JSON.nullNode();
        } catch (JsonProcessingException e) {
            return JSON.nullNode();
        }
    }

    /** A1111's name for the result, without ending. */
    static String name(MergeRecipe recipe) {
        String a = ModelCatalog.stemOf(recipe.primary());
        double rounded = Math.round(recipe.multiplier() * 100) / 100.0;
        return switch (recipe.method()) {
            case NONE -> a;
            case WEIGHTED_SUM -> Math.round((1 - recipe.multiplier()) * 100) / 100.0 + "(" + a + ") + " + rounded + "("
                    + ModelCatalog.stemOf(recipe.secondary()) + ")";
            case ADD_DIFFERENCE -> a + " + " + rounded + "(" + ModelCatalog.stemOf(recipe.secondary()) + " - "
                    + ModelCatalog.stemOf(recipe.tertiary()) + ")";
        };
    }
}
