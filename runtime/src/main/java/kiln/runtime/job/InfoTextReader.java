package kiln.runtime.job;

import static java.util.Map.entry;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import kiln.runtime.base.KilnException;
import kiln.runtime.noise.NoiseKind;
import kiln.runtime.sampling.SamplerChoice;

/** From a text that a picture carries to the request that would draw it again. */
public final class InfoTextReader {
    /** What a request has no need of, or what says no more than other fields. */
    private static final Set<String> PASSED_OVER = Set.of(
            "Prompt", "Negative prompt", "Model", "Model hash", "VAE hash", "Version", "User", "Lora hashes", "TI hashes", "Hypernet",
            "Hypernet strength", "First pass size-1", "First pass size-2", "Batch size", "Batch pos", "Masked area padding", "Script",
            "X Type", "X Values", "Y Type", "Y Values", "Z Type", "Z Values", "Fixed X Values", "Fixed Y Values", "Fixed Z Values",
            "Wildcard prompt");
    /** What counts for nothing with these values. */
    private static final Map<String, String> AS_USUAL = Map.ofEntries(
            entry("Hires checkpoint", "Use same checkpoint"), entry("Hires resize-1", "0"), entry("Hires resize-2", "0"),
            entry("Hires sampler", "Use same sampler"), entry("Hires schedule type", "Use same scheduler"), entry("Hires prompt", ""),
            entry("Hires negative prompt", ""), entry("Mask mode", "Inpaint masked"), entry("Masked content", "original"),
            entry("Inpaint area", "Whole picture"), entry("VAE Encoder", "Full"), entry("VAE Decoder", "Full"),
            entry("FP8 weight", "Disable"), entry("Refiner switch by sampling steps", "false"));

    private final Map<String, String> fields;
    private final Set<String> read = new HashSet<>();

    /**
     * What was understood.
     *
     * @param notHonoured fields that would change the picture and that a request cannot have, "Face restoration: CodeFormer"
     */
    public record Reading(GenerationRequest.Builder request, List<String> notHonoured) {
        public Reading {
            notHonoured = List.copyOf(notHonoured);
        }
    }

    private InfoTextReader(InfoText text) {
        fields = InfoTextFields.of(text);
    }

    /**
     * The request that the text describes, on top of {@code base}: the model, which is named by the text's parameters only, and what a text
     * without parameters does not say stay as they are there; what A1111 leaves out because it was as usual becomes as usual. One picture
     * is asked for.
     *
     * <p>A picture to begin from stays that of {@code base}, with the text's strength and ways of masking; with one there is no second
     * pass.
     *
     * <p>An unknown sampler's name is taken over as it is: it is refused where samplers are looked up.
     *
     * @throws KilnException {@code BAD_REQUEST} when a number is none, naming it
     */
    public static Reading read(InfoText text, GenerationRequest base) {
        InfoTextReader reader = new InfoTextReader(text);
        GenerationRequest.Builder request = base.toBuilder()
                .prompt(reader.fields.get("Prompt"))
                .negativePrompt(reader.fields.get("Negative prompt"))
                .batchSize(1)
                .batchCount(1);
        if (text.parameters().isEmpty()) {
            return new Reading(request, List.of());
        }
        reader.parameters(request, base.init());
        return new Reading(request, reader.notHonoured());
    }

    /** @param init the base's; {@code null} for none */
    private void parameters(GenerationRequest.Builder request, InitPicture init) {
        if (has("Steps")) {
            request.steps((int) whole("Steps", Integer.MAX_VALUE));
        }
        if (has("Sampler")) {
            sampler(request, fields.get("Sampler"), fields.get("Schedule type"));
        }
        has("Schedule type");
        if (has("CFG scale")) {
            request.cfgScale(decimal("CFG scale"));
        }
        if (has("Seed")) {
            request.seed(whole("Seed", Long.MAX_VALUE));
        }
        if (fields.containsKey("Size")) {
            throw notANumber("Size");
        }
        if (has("Size-1") && has("Size-2")) {
            request.width((int) whole("Size-1", Integer.MAX_VALUE)).height((int) whole("Size-2", Integer.MAX_VALUE));
        }
        variation(request);
        for (Setting setting : Setting.values()) {
            setting.label().ifPresent(label -> setting(request, setting, label));
        }
        if (fields.get("RNG").equals("GPU") && !fields.containsKey("RNG card")) {
            // Whose card it was is not known: this is what all cards make of small enough latents.
            request.noise(NoiseKind.NV);
        }
        if (init == null) {
            hires(request);
        } else {
            request.init(init(init)).hires(null);
        }
    }

    private void setting(GenerationRequest.Builder request, Setting setting, String label) {
        if (!has(label)) {
            request.set(setting, setting.usual());
            return;
        }
        try {
            request.set(setting, fields.get(label));
        } catch (KilnException e) {
            throw setting.usual() instanceof String ? e : notANumber(label);
        }
    }

    private void variation(GenerationRequest.Builder request) {
        request.variation(new GenerationRequest.Variation(
                has("Variation seed") ? whole("Variation seed", Long.MAX_VALUE) : -1,
                has("Variation seed strength") ? decimal("Variation seed strength") : 0,
                has("Seed resize from-1") ? (int) whole("Seed resize from-1", Integer.MAX_VALUE) : 0,
                has("Seed resize from-2") ? (int) whole("Seed resize from-2", Integer.MAX_VALUE) : 0));
    }

    /** The base's picture and mask, which a text cannot carry, used as the text says. */
    private InitPicture init(InitPicture base) {
        Mask mask = base.mask();
        if (mask != null) {
            mask = new Mask(
                    mask.file(),
                    mask.outpainting(),
                    has("Mask blur") ? (int) whole("Mask blur", Integer.MAX_VALUE) : mask.blur(),
                    has("Mask mode") && fields.get("Mask mode").equals("Inpaint not masked"),
                    fill(),
                    has("Inpaint area") && fields.get("Inpaint area").equals("Only masked"),
                    (int) whole("Masked area padding", Integer.MAX_VALUE),
                    mask.soft());
        }
        double strength = has("Denoising strength") ? decimal("Denoising strength") : base.denoisingStrength();
        return new InitPicture(base.file(), strength, base.resize(), mask);
    }

    private Mask.Fill fill() {
        return !has("Masked content") ? Mask.Fill.ORIGINAL : Arrays.stream(Mask.Fill.values())
                .filter(row -> row.label().equals(fields.get("Masked content")))
                .findFirst()
                .orElseThrow(() -> notANumber("Masked content"));
    }

    private void hires(GenerationRequest.Builder request) {
        int width = has("Hires resize-1") ? (int) whole("Hires resize-1", Integer.MAX_VALUE) : 0;
        int height = has("Hires resize-2") ? (int) whole("Hires resize-2", Integer.MAX_VALUE) : 0;
        HiresPass usual = HiresPass.usual();
        boolean wanted = width != 0 || height != 0 || fields.containsKey("Hires upscale") || fields.containsKey("Hires upscaler");
        String sampler = word("Hires sampler", "Use same sampler");
        String schedule = word("Hires schedule type", "Use same scheduler");
        String prompt = word("Hires prompt", "");
        String negative = word("Hires negative prompt", "");
        request.hires(!wanted ? null : new HiresPass(
                has("Hires upscaler") ? fields.get("Hires upscaler") : usual.upscaler(),
                has("Hires upscale") ? decimal("Hires upscale") : usual.scale(),
                width,
                height,
                has("Hires steps") ? (int) whole("Hires steps", Integer.MAX_VALUE) : 0,
                has("Denoising strength") ? decimal("Denoising strength") : usual.denoisingStrength(),
                sampler,
                schedule,
                prompt,
                negative,
                has("Hires CFG Scale") ? decimal("Hires CFG Scale") : 0));
    }

    private String word(String key, String same) {
        return has(key) && !fields.get(key).equals(same) ? fields.get(key) : "";
    }

    private boolean has(String key) {
        read.add(key);
        return fields.containsKey(key);
    }

    private List<String> notHonoured() {
        List<String> left = new ArrayList<>();
        fields.forEach((key, value) -> {
            boolean added = key.startsWith("AddNet ");
            if (!read.contains(key) && !PASSED_OVER.contains(key) && !value.equals(AS_USUAL.get(key)) && !added) {
                left.add(key + ": " + value);
            }
        });
        return left;
    }

    private static void sampler(GenerationRequest.Builder request, String sampler, String schedule) {
        try {
            SamplerChoice choice = SamplerChoice.find(sampler, schedule);
            request.sampler(choice.sampler().label()).schedule(choice.schedule().label());
        } catch (KilnException unknown) {
            request.sampler(sampler).schedule(schedule);
        }
    }

    private long whole(String key, long most) {
        try {
            long value = Long.parseLong(fields.get(key).strip());
            if (value >= -1 && value <= most) {
                return value;
            }
        } catch (NumberFormatException e) {
            // Told below.
        }
        throw notANumber(key);
    }

    private double decimal(String key) {
        try {
            return Double.parseDouble(fields.get(key).strip().toLowerCase(Locale.ROOT));
        } catch (NumberFormatException e) {
            throw notANumber(key);
        }
    }

    private KilnException notANumber(String key) {
        String value = fields.get(key);
        String shown = value.length() > 40 ? value.substring(0, 40) + "…" : value;
        return KilnException.badRequest("the parameters' \"" + key + "\" cannot be \"" + shown.replaceAll("\\p{Cntrl}", "?") + '"');
    }
}
