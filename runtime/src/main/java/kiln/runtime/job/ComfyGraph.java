package kiln.runtime.job;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * ComfyUI's "prompt": nodes by number, each with a class and inputs, an input being a value or a link {@code ["number", output]}. Links are
 * followed from the first sampler; nodes that A1111 has no words for are named.
 */
final class ComfyGraph {
    private static final int MAX_NODES = 5000;
    private static final Set<String> KNOWN = Set.of(
            "KSampler", "KSamplerAdvanced", "CLIPTextEncode", "EmptyLatentImage", "CheckpointLoaderSimple", "CheckpointLoader", "LoraLoader",
            "LoraLoaderModelOnly", "VAEDecode", "VAELoader", "SaveImage", "PreviewImage", "CLIPSetLastLayer", "ConditioningZeroOut",
            "SaveAnimatedWEBP", "PrimitiveNode", "Note");
    /** Inputs that hold the text of a node which encodes or hands on one. */
    private static final List<String> TEXTS = List.of("text", "text_g", "string", "value", "prompt");
    /** Inputs through which a node hands on a conditioning, a model or a latent that it changes. */
    private static final List<String> CONDITIONINGS = List.of("positive", "conditioning", "conditioning_1", "conditioning_to");
    private static final List<String> NUMBERS = List.of("value", "seed", "noise_seed", "int", "float", "number");

    private final JsonNode nodes;
    private final ForeignJson found = new ForeignJson();
    private final StringBuilder networks = new StringBuilder();

    private ComfyGraph(JsonNode nodes) {
        this.nodes = nodes;
    }

    /** Empty when it has no sampler. */
    static Optional<PictureParameters> read(JsonNode nodes) {
        return nodes.size() > MAX_NODES ? Optional.empty() : new ComfyGraph(nodes).read();
    }

    private Optional<PictureParameters> read() {
        List<Map.Entry<String, JsonNode>> samplers = nodes.properties().stream()
                .filter(node -> kind(node.getValue()).startsWith("KSampler"))
                // Of several the one that begins from noise is what A1111 calls the first pass.
                .sorted(Comparator.comparing(node -> !kind(latent(node.getValue())).equals("EmptyLatentImage")))
                .toList();
        if (samplers.isEmpty()) {
            return Optional.empty();
        }
        JsonNode sampler = samplers.get(0).getValue();
        found.put("Steps", number(sampler, "steps"));
        found.sampler(input(sampler, "sampler_name").asText(), input(sampler, "scheduler").asText(), null);
        found.put("CFG scale", number(sampler, "cfg"));
        JsonNode seed = number(sampler, "seed");
        found.put("Seed", seed == null ? number(sampler, "noise_seed") : seed);
        JsonNode latent = latent(sampler);
        JsonNode width = number(latent, "width");
        JsonNode height = number(latent, "height");
        if (width != null && height != null) {
            found.put("Size", width.asText() + "x" + height.asText());
        }
        if (!kind(latent).equals("EmptyLatentImage")) {
            found.notUnderstood("begins from " + (kind(latent).isEmpty() ? "an unknown latent" : kind(latent)));
        }
        model(sampler);
        JsonNode strength = number(sampler, "denoise");
        if (strength != null && strength.asDouble() < 1) {
            found.put("Denoising strength", strength);
        }
        String prompt = text(sampler, "positive");
        String negative = text(sampler, "negative");
        for (JsonNode node : nodes) {
            if (kind(node).equals("CLIPSetLastLayer") && number(node, "stop_at_clip_layer") != null) {
                found.put("Clip skip", Integer.toString(-number(node, "stop_at_clip_layer").asInt()));
            } else if (kind(node).equals("VAELoader")) {
                found.put("VAE", input(node, "vae_name").asText());
            }
        }
        found.put("RNG", "CPU");
        for (int i = 1; i < samplers.size(); i++) {
            found.notUnderstood("another sampler, node " + samplers.get(i).getKey());
        }
        for (Map.Entry<String, JsonNode> node : nodes.properties()) {
            if (!KNOWN.contains(kind(node.getValue()))) {
                found.notUnderstood("node " + kind(node.getValue()));
            }
        }
        return Optional.of(found.finish("ComfyUI", prompt + networks, negative));
    }

    private static String kind(JsonNode node) {
        return node == null ? "" : node.path("class_type").asText();
    }

    private static JsonNode input(JsonNode node, String name) {
        return node.path("inputs").path(name);
    }

    /** The node that an input is linked to; {@code null} when it is a value or the link leads nowhere. */
    private JsonNode linked(JsonNode node, String name) {
        JsonNode link = node == null ? null : input(node, name);
        return link != null && link.isArray() && link.size() == 2 ? nodes.get(link.get(0).asText()) : null;
    }

    /** A number that stands in the node or in one that it is linked to. */
    private JsonNode number(JsonNode node, String name) {
        if (node == null) {
            return null;
        }
        JsonNode value = input(node, name);
        JsonNode source = linked(node, name);
        if (source != null) {
            value = NUMBERS.stream().map(key -> input(source, key)).filter(JsonNode::isNumber).findFirst().orElse(value);
        }
        return value.isNumber() ? value : null;
    }

    /** Where the latent comes from: through nodes that enlarge or change it. */
    private JsonNode latent(JsonNode sampler) {
        Set<JsonNode> seen = new HashSet<>();
        JsonNode node = linked(sampler, "latent_image");
        while (node != null && linked(node, "samples") != null && seen.add(input(node, "samples")) && !kind(node).startsWith("KSampler")) {
            node = linked(node, "samples");
        }
        return node;
    }

    /** The checkpoint, and on the way to it the LoRAs, of which the last loaded is met first. */
    private void model(JsonNode sampler) {
        Deque<String> loras = new ArrayDeque<>();
        Set<JsonNode> seen = new HashSet<>();
        JsonNode node = linked(sampler, "model");
        while (node != null && input(node, "ckpt_name").isMissingNode() && seen.add(input(node, "model"))) {
            if (!input(node, "lora_name").isMissingNode()) {
                String weight = input(node, "strength_model").asText("1");
                String clip = kind(node).equals("LoraLoaderModelOnly") ? "0" : input(node, "strength_clip").asText(weight);
                String weights = clip.equals(weight) ? weight : clip + ":" + weight;
                loras.push("<lora:" + ForeignJson.stem(input(node, "lora_name").asText()) + ":" + weights + ">");
            }
            node = linked(node, "model");
        }
        if (node != null && input(node, "ckpt_name").isTextual()) {
            found.put("Model", ForeignJson.stem(input(node, "ckpt_name").asText()));
        }
        loras.forEach(lora -> networks.append(networks.length() == 0 ? " " : "").append(lora));
    }

    /** The words behind a conditioning: through nodes that change it, of two that are combined the first. */
    private String text(JsonNode sampler, String side) {
        Set<JsonNode> seen = new HashSet<>();
        JsonNode node = linked(sampler, side);
        while (node != null && !kind(node).equals("ConditioningZeroOut")) {
            JsonNode at = node;
            for (String name : TEXTS) {
                if (input(at, name).isTextual()) {
                    return input(at, name).asText();
                }
            }
            // A node for both sides hands on each under its name.
            JsonNode next = linked(at, side);
            for (String name : CONDITIONINGS) {
                next = next == null ? linked(at, name) : next;
            }
            for (String name : TEXTS) {
                next = next == null ? linked(at, name) : next;
            }
            node = next != null && seen.add(next) ? next : null;
        }
        return "";
    }
}
