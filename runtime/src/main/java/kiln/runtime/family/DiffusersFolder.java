package kiln.runtime.family;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.KilnException.Category;
import kiln.weights.ModelCatalog;
import kiln.weights.WeightsException;

/**
 * A model as the diffusers library keeps it: a folder with {@code model_index.json}, and in it a folder for each part. Parts that Kiln has no use
 * for, such as {@code safety_checker}, are not looked at.
 *
 * @param unet files of the denoiser, as the others one or several pieces
 */
record DiffusersFolder(Path folder, List<Path> unet, List<Path> vae, List<Path> textEncoder) {
    private static final long MAX_JSON_BYTES = 16L << 20;
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Whether this is such a folder. */
    static boolean is(Path path) {
        return ModelCatalog.isDiffusersFolder(path);
    }

    /** @throws KilnException when a part's weights are missing or a list of their pieces cannot be read */
    static DiffusersFolder of(Path folder) {
        return new DiffusersFolder(
                folder,
                weights(folder.resolve("unet"), "diffusion_pytorch_model"),
                weights(folder.resolve("vae"), "diffusion_pytorch_model"),
                textEncoder(folder.resolve("text_encoder")));
    }

    private static List<Path> textEncoder(Path part) {
        List<Path> safe = found(part, "model", "safetensors");
        return safe.isEmpty() ? weights(part, "pytorch_model") : safe;
    }

    /** The files of all parts and what says how to use them. */
    List<Path> files() {
        List<Path> files = new ArrayList<>(unet);
        files.addAll(vae);
        files.addAll(textEncoder);
        files.add(folder.resolve("scheduler/scheduler_config.json"));
        files.add(folder.resolve("vae/config.json"));
        return files;
    }

    private static List<Path> weights(Path part, String stem) {
        for (String extension : List.of("safetensors", "bin")) {
            List<Path> files = found(part, stem, extension);
            if (!files.isEmpty()) {
                return files;
            }
        }
        throw new KilnException(
                Category.NOT_FOUND,
                part + ": no weights there: " + stem + ".safetensors, " + stem + ".fp16.safetensors or the same as .bin is needed");
    }

    /** Full precision before half, a whole file before pieces. */
    private static List<Path> found(Path part, String stem, String extension) {
        for (String variant : List.of("", ".fp16")) {
            Path whole = part.resolve(stem + variant + "." + extension);
            if (Files.isRegularFile(whole)) {
                return List.of(whole);
            }
            for (String index : List.of(
                    stem + variant + "." + extension + ".index.json", stem + "." + extension + ".index" + variant + ".json")) {
                if (Files.isRegularFile(part.resolve(index))) {
                    return pieces(part, part.resolve(index));
                }
            }
        }
        return List.of();
    }

    private static List<Path> pieces(Path part, Path index) {
        TreeSet<String> names = new TreeSet<>();
        json(index).path("weight_map").forEach(file -> names.add(file.asText()));
        List<Path> files = new ArrayList<>();
        for (String name : names) {
            if (!name.matches("[\\w.-]+") || name.startsWith(".")) {
                throw new KilnException(
                        Category.CORRUPT_FILE, index + ": names a piece " + WeightsException.quote(name) + ", which is no file's name");
            }
            files.add(part.resolve(name));
        }
        if (files.isEmpty()) {
            throw new KilnException(Category.CORRUPT_FILE, index + ": names no pieces");
        }
        return files;
    }

    /** What the folder says of the model's use. */
    ModelConfig config() {
        Path scheduler = folder.resolve("scheduler/scheduler_config.json");
        Path vae = folder.resolve("vae/config.json");
        JsonNode levels = Files.isRegularFile(scheduler) ? json(scheduler) : JSON.createObjectNode();
        JsonNode codec = Files.isRegularFile(vae) ? json(vae) : JSON.createObjectNode();
        String betas = levels.path("beta_schedule").asText("scaled_linear");
        List<String> notes = new ArrayList<>();
        if (!betas.equals("scaled_linear")) {
            notes.add(scheduler + ": the schedule of betas " + WeightsException.quote(betas) + " is not known here: the usual one is used");
        }
        if (levels.path("rescale_betas_zero_snr").asBoolean()) {
            notes.add(scheduler + ": wants the noise schedule Zero Terminal SNR (rescale_betas_zero_snr), which is not chosen by itself");
        }
        boolean known = betas.equals("scaled_linear");
        return new ModelConfig(
                ModelConfig.prediction(levels.path("prediction_type").asText(null), scheduler),
                number(codec, "scaling_factor"),
                known ? number(levels, "beta_start") : null,
                known ? number(levels, "beta_end") : null,
                false,
                null,
                null,
                null,
                notes,
                scheduler);
    }

    private static Double number(JsonNode node, String name) {
        return node.path(name).isNumber() ? node.path(name).asDouble() : null;
    }

    private static JsonNode json(Path file) {
        try {
            if (Files.size(file) > MAX_JSON_BYTES) {
                throw new KilnException(Category.UNSUPPORTED_MODEL, file + ": has more than " + MAX_JSON_BYTES + " bytes");
            }
            return JSON.readTree(Files.readAllBytes(file));
        } catch (JsonProcessingException e) {
            throw new KilnException(Category.CORRUPT_FILE, file + ": not JSON: " + e.getOriginalMessage().lines().findFirst().orElse(""), e);
        } catch (IOException e) {
            throw new KilnException(Category.STORAGE, file + ": cannot be read: " + e.getMessage(), e);
        }
    }
}
