package kiln.runtime.job;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** JSON objects with a field for each parameter: InvokeAI's and Fooocus'. */
final class FlatParameters {
    private static final Pattern RESOLUTION = Pattern.compile("\\(?\\s*(\\d{1,6})\\s*[,x×]\\s*(\\d{1,6})\\s*\\)?");

    private final JsonNode root;
    private final Set<String> taken = new HashSet<>();
    private final ForeignJson found = new ForeignJson();
    private final StringBuilder networks = new StringBuilder();

    private FlatParameters(JsonNode root) {
        this.root = root;
    }

    /** {@code invokeai_metadata} of InvokeAI 3 and newer. */
    static PictureParameters ofInvokeAi(JsonNode root) {
        FlatParameters flat = new FlatParameters(root);
        flat.found.put("Steps", flat.take("steps"));
        flat.found.sampler(flat.take("scheduler").asText(), "", null);
        flat.found.put("CFG scale", flat.take("cfg_scale"));
        flat.found.put("Seed", flat.take("seed"));
        flat.found.put("Size", flat.take("width").asText() + "x" + flat.take("height").asText());
        flat.model(flat.take("model"));
        if (flat.take("strength").asDouble(1) < 1) {
            flat.found.put("Denoising strength", flat.root.get("strength"));
        }
        if (flat.take("clip_skip").asInt() > 0) {
            // It counts the layers that are left out.
            flat.found.put("Clip skip", Integer.toString(flat.root.path("clip_skip").asInt() + 1));
        }
        flat.found.put("RNG", "CPU".equalsIgnoreCase(flat.take("rand_device").asText("cpu")) ? "CPU" : "GPU");
        for (JsonNode lora : flat.take("loras")) {
            JsonNode model = lora.has("model") ? lora.get("model") : lora.path("lora");
            flat.lora(model.path("name").asText(model.path("model_name").asText()), lora.path("weight").asText("1"));
        }
        flat.take("generation_mode");
        flat.take("app_version");
        return flat.finish("InvokeAI", flat.take("positive_prompt").asText(), flat.take("negative_prompt").asText());
    }

    /** {@code sd-metadata} of InvokeAI 2. */
    static PictureParameters ofDream(JsonNode root) {
        FlatParameters flat = new FlatParameters(root.path("image"));
        flat.found.put("Steps", flat.take("steps"));
        flat.found.sampler(flat.take("sampler").asText(), "", null);
        flat.found.put("CFG scale", flat.take("cfg_scale"));
        flat.found.put("Seed", flat.take("seed"));
        flat.found.put("Size", flat.take("width").asText() + "x" + flat.take("height").asText());
        flat.found.put("Model hash", root.get("model_hash"));
        flat.found.put("Model", root.get("model_weights"));
        JsonNode prompt = flat.take("prompt");
        // The negative prompt stands in square brackets within the prompt.
        return flat.finish("InvokeAI", prompt.isArray() ? prompt.path(0).path("prompt").asText() : prompt.asText(), "");
    }

    /** "parameters" with {@code fooocus_scheme} "fooocus". */
    static PictureParameters ofFooocus(JsonNode root) {
        FlatParameters flat = new FlatParameters(root);
        flat.found.put("Steps", flat.take("steps"));
        flat.found.sampler(flat.take("sampler").asText(), flat.take("scheduler").asText(), null);
        flat.found.put("CFG scale", flat.take("guidance_scale"));
        flat.found.put("Seed", flat.take("seed"));
        Matcher size = RESOLUTION.matcher(flat.take("resolution").asText());
        if (size.matches()) {
            flat.found.put("Size", size.group(1) + "x" + size.group(2));
        }
        flat.found.put("Model hash", flat.take("base_model_hash"));
        flat.model(flat.take("base_model"));
        flat.found.put("VAE", flat.take("vae"));
        flat.found.put("Clip skip", flat.take("clip_skip"));
        for (JsonNode lora : flat.take("loras")) {
            flat.lora(lora.path(0).asText(), lora.path(1).asText("1"));
        }
        flat.take("full_prompt");
        flat.take("full_negative_prompt");
        flat.take("metadata_scheme");
        String program = flat.take("version").asText("Fooocus");
        return flat.finish(program, flat.take("prompt").asText(), flat.take("negative_prompt").asText());
    }

    private JsonNode take(String name) {
        taken.add(name);
        return root.path(name);
    }

    private void model(JsonNode model) {
        String name = model.isTextual() ? model.asText() : model.path("name").asText(model.path("model_name").asText());
        if (!name.isEmpty()) {
            found.put("Model", ForeignJson.stem(name));
        }
    }

    private void lora(String name, String weight) {
        if (!name.isEmpty() && !name.equals("None")) {
            networks.append(networks.length() == 0 ? " " : "").append("<lora:").append(ForeignJson.stem(name)).append(':').append(weight).append('>');
        }
    }

    private PictureParameters finish(String program, String prompt, String negative) {
        for (Map.Entry<String, JsonNode> field : root.properties()) {
            if (!taken.contains(field.getKey())) {
                found.notUnderstood(field.getKey(), field.getValue());
            }
        }
        return found.finish(program, prompt + networks, negative);
    }
}
