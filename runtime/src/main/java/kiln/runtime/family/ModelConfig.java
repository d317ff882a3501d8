package kiln.runtime.family;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.KilnException.Category;
import kiln.runtime.model.LatentFormat;
import kiln.runtime.model.Model;
import kiln.runtime.sampling.ModelSampling;
import kiln.runtime.sampling.Prediction;
import kiln.weights.WeightsException;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.schema.CoreSchema;

/**
 * What a file beside a checkpoint says of it that its tensors do not tell: the {@code .yaml} of the original code, or the configurations in a
 * diffusers folder. What is {@code null} is not said.
 *
 * @param prediction what the denoiser's output means
 * @param scale of the latents
 * @param firstBeta with {@code lastBeta}, ends of the betas whose square roots are evenly spaced
 * @param useEma whether the averaged weights are to be taken
 * @param layerIndex whose result of the text encoder the model was trained with: counted from the embeddings (0), or from the end (−1)
 * @param inChannels of the denoiser, which must be what its tensors have
 * @param contextWidth of the text encoder, which must be what the tensors have
 * @param notes what is said and not heeded: a line each
 */
record ModelConfig(
        Prediction prediction,
        Double scale,
        Double firstBeta,
        Double lastBeta,
        boolean useEma,
        Integer layerIndex,
        Integer inChannels,
        Integer contextWidth,
        List<String> notes,
        Path file) {
    static final ModelConfig NONE = new ModelConfig(null, null, null, null, false, null, null, null, List.of(), null);

    private static final int MAX_BYTES = 1 << 20;
    private static final int MAX_ALIASES = 20;
    private static final int PENULTIMATE = -2;

    ModelConfig {
        notes = List.copyOf(notes);
    }

    /**
     * Reads a {@code .yaml} of the original code.
     *
     * @throws KilnException when there is none, it is no YAML, or it wants what Kiln cannot compute
     */
    static ModelConfig read(Path yaml) {
        Map<?, ?> params = map(map(map(load(yaml)).get("model")).get("params"));
        Map<?, ?> unet = map(map(params.get("unet_config")).get("params"));
        Map<?, ?> text = map(params.get("cond_stage_config"));
        List<String> notes = new ArrayList<>();
        if (params.isEmpty()) {
            notes.add(yaml + ": says nothing of a model (model.params is missing)");
        }
        return new ModelConfig(
                prediction(params.get("parameterization") instanceof String name ? name : null, yaml),
                number(params, "scale_factor"),
                number(params, "linear_start"),
                number(params, "linear_end"),
                Boolean.TRUE.equals(params.get("use_ema")),
                layerIndex(map(text.get("params")), yaml, notes),
                integer(unet, "in_channels"),
                integer(unet, "context_dim"),
                notes,
                yaml);
    }

    private static Object load(Path yaml) {
        // The core schema knows True and False, which Python writes.
        LoadSettings settings = LoadSettings.builder()
                .setSchema(new CoreSchema())
                .setCodePointLimit(MAX_BYTES)
                .setMaxAliasesForCollections(MAX_ALIASES)
                .setAllowDuplicateKeys(true)
                .build();
        try (InputStream in = Files.newInputStream(yaml)) {
            byte[] bytes = in.readNBytes(MAX_BYTES + 1);
            if (bytes.length > MAX_BYTES) {
                throw new KilnException(Category.UNSUPPORTED_MODEL, yaml + ": has more than " + MAX_BYTES + " bytes");
            }
            return new Load(settings).loadFromString(new String(bytes, StandardCharsets.UTF_8));
        } catch (YamlEngineException | StackOverflowError e) {
            String reason = e.getMessage() == null ? "too deep" : e.getMessage().lines().map(String::strip).findFirst().orElse("");
            throw new KilnException(Category.CORRUPT_FILE, yaml + ": not YAML that can be read: " + reason, e);
        } catch (NoSuchFileException e) {
            throw new KilnException(Category.NOT_FOUND, "no model configuration at " + yaml, e);
        } catch (IOException e) {
            throw new KilnException(Category.STORAGE, yaml + ": cannot be read: " + e.getMessage(), e);
        }
    }

    /** The words of the original code and of diffusers; {@code null} for {@code null}. */
    static Prediction prediction(String name, Path file) {
        return name == null ? null : switch (name) {
            case "eps", "epsilon" -> Prediction.EPS;
            case "v", "v_prediction" -> Prediction.V;
            default -> throw new KilnException(
                    Category.UNSUPPORTED_MODEL,
                    file + ": the denoiser predicts " + WeightsException.quote(name) + ": noise (eps) and velocity (v) are known");
        };
    }

    private static Integer layerIndex(Map<?, ?> text, Path yaml, List<String> notes) {
        Object layer = text.get("layer");
        if (Boolean.TRUE.equals(text.get("penultimate")) || "penultimate".equals(layer)) {
            return PENULTIMATE;
        }
        if (layer == null || "last".equals(layer)) {
            return null;
        }
        if ("hidden".equals(layer)) {
            return integer(text, "layer_idx");
        }
        notes.add(yaml + ": the text encoder's layer " + WeightsException.quote(layer.toString()) + " is not known: the last one is used");
        return null;
    }

    private static Map<?, ?> map(Object value) {
        return value instanceof Map<?, ?> map ? map : Map.of();
    }

    private static Double number(Map<?, ?> map, String name) {
        return map.get(name) instanceof Number number ? Double.valueOf(number.doubleValue()) : null;
    }

    private static Integer integer(Map<?, ?> map, String name) {
        return map.get(name) instanceof Integer number ? number : null;
    }

    /**
     * The clip skip that the named layer comes to; 0 where none is named.
     *
     * @param layers of the text encoder
     */
    int clipSkip(int layers) {
        if (layerIndex == null) {
            return 0;
        }
        // The states are the embeddings and the result of each layer.
        int skip = layerIndex < 0 ? -layerIndex : layers - layerIndex + 1;
        if (skip < 1 || skip > layers) {
            throw new KilnException(
                    Category.UNSUPPORTED_MODEL, file + ": names layer " + layerIndex + " of the text encoder, which has " + layers);
        }
        return skip;
    }

    /**
     * The model as this file wants it.
     *
     * @throws KilnException UNSUPPORTED_MODEL when it contradicts the tensors
     */
    Model applyTo(Model model) {
        check("in_channels", inChannels, model.denoiser().inChannels());
        check("context_dim", contextWidth, model.denoiser().contextWidth());
        LatentFormat latent = model.latent();
        if (scale != null) {
            if (!(scale > 0)) {
                throw new KilnException(Category.UNSUPPORTED_MODEL, file + ": a scale of the latents of " + scale);
            }
            latent = new LatentFormat(latent.channels(), latent.pixels(), scale.floatValue(), latent.shift(), latent.preview());
        }
        ModelSampling sampling = firstBeta == null && lastBeta == null
                ? model.sampling()
                : ModelSampling.sd1(
                        firstBeta == null ? ModelSampling.SD1_FIRST_BETA : firstBeta, lastBeta == null ? ModelSampling.SD1_LAST_BETA : lastBeta);
        return new Model(
                model.encoders(),
                model.denoiser(),
                model.codec(),
                latent,
                prediction == null ? model.prediction() : prediction,
                sampling,
                model.side());
    }

    private void check(String name, Integer said, int found) {
        if (said != null && said != found) {
            throw new KilnException(
                    Category.UNSUPPORTED_MODEL, file + ": says " + name + " " + said + ", the model's tensors have " + found);
        }
    }
}
