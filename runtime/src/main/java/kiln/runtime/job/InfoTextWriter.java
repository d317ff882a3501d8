package kiln.runtime.job;

import java.math.BigDecimal;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import kiln.runtime.base.KilnException;
import kiln.runtime.noise.NoiseKind;
import kiln.runtime.sampling.Sampler;
import kiln.runtime.sampling.SamplerChoice;
import kiln.runtime.sampling.Schedule;

/** From a request to the text that its pictures carry, field by field in A1111's order; what is as usual is left out. */
public final class InfoTextWriter {
    /** Where A1111 has fields that a feature brings; all others of those stand before the version. */
    private static final List<String> ORDER = List.of(
            "Steps", "Sampler", "Schedule type", "CFG scale", "Image CFG scale", "Seed", "Face restoration", "Size", "Model hash", "Model",
            "FP8 weight", "VAE hash", "VAE", "Variation seed", "Variation seed strength", "Seed resize from", "Denoising strength",
            "Conditional mask weight", "Clip skip", "ENSD", "Token merging ratio", "Token merging ratio hr", "Init image hash", "RNG",
            "RNG card", "Tiling");

    private InfoTextWriter() {}

    /**
     * The model that drew; {@code null} leaves a part out.
     *
     * @param name as shown, without folder and ending
     * @param hash ten hex digits
     * @param vaeName file name of a VAE that took the place of the model's own
     * @param vaeHash ten hex digits
     */
    public record Model(String name, String hash, String vaeName, String vaeHash) {}

    /**
     * The text of one picture of a request.
     *
     * @param seed this picture's own
     * @param variationSeed this picture's own
     * @param extras what features have to say of this picture ("Lora hashes"), in order
     * @param version the program and its version, "kiln-0.1.0"
     * @throws KilnException {@code BAD_REQUEST} for an unknown sampler or schedule
     */
    public static InfoText write(
            GenerationRequest request, long seed, long variationSeed, Model model, Map<String, String> extras, String version) {
        SamplerChoice choice = SamplerChoice.find(request.sampler(), request.schedule());
        Map<String, String> fields = new LinkedHashMap<>();
        fields.put("Steps", Integer.toString(request.steps()));
        fields.put("Sampler", choice.sampler().label());
        fields.put("Schedule type", choice.schedule().label());
        fields.put("CFG scale", number(request.cfgScale()));
        fields.put("Seed", Long.toString(seed));
        fields.put("Size", request.width() + "x" + request.height());
        fields.put("Model hash", model.hash);
        fields.put("Model", model.name);
        fields.put("VAE hash", model.vaeHash);
        fields.put("VAE", model.vaeName);
        GenerationRequest.Variation variation = request.variation();
        if (variation.strength() != 0) {
            fields.put("Variation seed", Long.toString(variationSeed));
            fields.put("Variation seed strength", number(variation.strength()));
        }
        if (variation.resizeFromWidth() > 0 && variation.resizeFromHeight() > 0) {
            fields.put("Seed resize from", variation.resizeFromWidth() + "x" + variation.resizeFromHeight());
        }
        settings(request, choice, fields);
        if (request.init() != null) {
            fields.put("Denoising strength", number(request.init().denoisingStrength()));
            if (request.init().mask() != null) {
                mask(request.init().mask(), fields);
            }
        }
        if (request.hires() != null) {
            hires(request, fields);
        }
        fields.putAll(extras);
        return new InfoText(request.prompt(), request.negativePrompt(), ordered(fields, version));
    }

    private static Map<String, String> ordered(Map<String, String> fields, String version) {
        Map<String, String> ordered = new LinkedHashMap<>();
        ORDER.forEach(key -> put(ordered, key, fields.get(key)));
        fields.forEach((key, value) -> put(ordered, key, value));
        put(ordered, "Version", version);
        return ordered;
    }

    private static void put(Map<String, String> ordered, String key, String value) {
        if (value != null) {
            ordered.putIfAbsent(key, value);
        }
    }

    private static void settings(GenerationRequest request, SamplerChoice choice, Map<String, String> fields) {
        // A1111's default is the card's generator, so that all three are written.
        fields.put("RNG", request.settings().noiseKind().name());
        request.settings().values().forEach((setting, value) -> {
            if (setting.label().isPresent() && matters(setting, request, choice)) {
                fields.put(setting.label().get(), text(value));
            }
        });
    }

    /** Python's words for truth. */
    private static String text(Object value) {
        if (value instanceof Boolean flag) {
            return flag ? "True" : "False";
        }
        return value instanceof Double number ? number(number) : value.toString();
    }

    private static boolean matters(Setting setting, GenerationRequest request, SamplerChoice choice) {
        Sampler sampler = choice.sampler();
        boolean takesEta = sampler.usesEtaNoiseSeedDelta() || sampler.usesBrownianNoise();
        boolean churns = sampler == Sampler.EULER || sampler == Sampler.HEUN || sampler == Sampler.DPM2;
        Schedule schedule = choice.resolvedSchedule();
        return switch (setting) {
            // Told by the model that drew, or written whatever it is.
            case VAE, NOISE_SOURCE -> false;
            case NOISE_CARD -> request.settings().noiseKind() == NoiseKind.GPU;
            case ETA_NOISE_SEED_DELTA ->
                    sampler.usesEtaNoiseSeedDelta() && request.settings().number(Setting.ETA_ANCESTRAL) != 0;
            case ETA_ANCESTRAL -> takesEta;
            case ETA_DDIM -> sampler == Sampler.DDIM || sampler == Sampler.DDIM_CFGPP;
            case CHURN, CHURN_MIN, CHURN_MAX -> churns;
            case CHURN_NOISE -> churns || takesEta && sampler != Sampler.EULER_A;
            case SIGMA_MIN, SIGMA_MAX -> !sampler.usesTimesteps() && schedule != Schedule.UNIFORM;
            case RHO -> schedule == Schedule.KARRAS || schedule == Schedule.POLYEXPONENTIAL;
            case BETA_ALPHA, BETA_BETA -> schedule == Schedule.BETA;
            case UNIPC_VARIANT, UNIPC_SKIP_TYPE, UNIPC_ORDER, UNIPC_LOWER_ORDER_FINAL -> sampler == Sampler.UNIPC;
            case DISCARD_NEXT_TO_LAST, SGM_NOISE_MULTIPLIER -> !sampler.usesTimesteps();
            case EMPHASIS ->
                    InfoTextFields.usesEmphasis(request.prompt()) || InfoTextFields.usesEmphasis(request.negativePrompt());
            case OLD_SCHEDULING -> request.prompt().contains("[") || request.negativePrompt().contains("[");
            case NOISE_MULTIPLIER, MASK_WEIGHT -> request.init() != null;
            case EXTRA_NOISE -> request.init() != null || request.hires() != null;
            default -> true;
        };
    }

    private static void mask(Mask mask, Map<String, String> fields) {
        if (mask.outpainting() != null) {
            fields.put("Script", Outpainting.SCRIPT);
        }
        if (mask.inverted()) {
            fields.put("Mask mode", "Inpaint not masked");
        }
        if (mask.blur() > 0) {
            fields.put("Mask blur", Integer.toString(mask.blur()));
        }
        if (mask.onlyMasked()) {
            fields.put("Inpaint area", "Only masked");
            fields.put("Masked area padding", Integer.toString(mask.padding()));
        }
        if (mask.fill() != Mask.Fill.ORIGINAL) {
            fields.put("Masked content", mask.fill().label());
        }
    }

    private static void hires(GenerationRequest request, Map<String, String> fields) {
        HiresPass hires = request.hires();
        fields.put("Denoising strength", number(hires.denoisingStrength()));
        SamplerChoice first = SamplerChoice.find(request.sampler(), request.schedule());
        SamplerChoice second = hires.choice(request);
        if (second.sampler() != first.sampler()) {
            fields.put("Hires sampler", second.sampler().label());
        }
        if (second.schedule() != first.schedule()) {
            fields.put("Hires schedule type", second.schedule().label());
        }
        fields.put("Hires prompt", hires.prompt().isEmpty() ? null : hires.prompt());
        fields.put("Hires negative prompt", hires.negativePrompt().isEmpty() ? null : hires.negativePrompt());
        if (hires.cfgScale() != 0) {
            fields.put("Hires CFG Scale", number(hires.cfgScale()));
        }
        if (hires.width() == 0 && hires.height() == 0) {
            fields.put("Hires upscale", number(hires.scale()));
        } else {
            fields.put("Hires resize", hires.width() + "x" + hires.height());
        }
        if (hires.steps() != 0) {
            fields.put("Hires steps", Integer.toString(hires.steps()));
        }
        fields.put("Hires upscaler", hires.upscaler());
    }

    /** 7 for 7.0, 7.5 for 7.5. */
    static String number(double value) {
        return new BigDecimal(Double.toString(value)).stripTrailingZeros().toPlainString();
    }
}
