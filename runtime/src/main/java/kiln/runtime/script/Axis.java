package kiln.runtime.script;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.Function;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.NearestName;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.job.GenerationRequest.Variation;
import kiln.runtime.job.HiresPass;
import kiln.runtime.job.Setting;
import kiln.runtime.sampling.SamplerChoice;
import kiln.runtime.text.Style;
import kiln.runtime.text.Styles;

/**
 * Something that an X/Y/Z plot can vary, by A1111's name: how its values are written, what one does to a request, and how it is told.
 *
 * @param label A1111's name
 * @param cost of a change, 0 to 1: the dearest axis becomes the outermost loop
 * @param named whether the caption has the name before the value
 */
public record Axis(String label, double cost, boolean named, Reader reader, Change change) {
    /** Where names of models and styles are looked up. */
    public record Names(Function<String, Path> models, Styles styles) {}

    /** From what people wrote to values, each a {@link Long}, {@link Double}, {@link String} or a list of these. */
    @FunctionalInterface
    public interface Reader {
        List<? extends Object> read(String axis, String text);
    }

    /** A request with this value. {@code values} are all of the axis. */
    @FunctionalInterface
    public interface Change {
        GenerationRequest apply(GenerationRequest request, Object value, List<?> values, Names names);
    }

    public static final Axis NOTHING = new Axis(
            "Nothing", 0, false, (axis, text) -> List.of(""), (request, value, values, names) -> request);

    private static final Map<String, String> NOT_HERE = Map.of(
            "Image CFG Scale", "models that edit pictures are not there yet",
            "Cond. Image Mask Weight", "inpainting models are not there yet",
            "Face restore", "faces are not restored yet",
            "Token merging ratio", "tokens are not merged here",
            "Token merging ratio high-res", "tokens are not merged here",
            "Refiner checkpoint", "there is no refiner yet",
            "Refiner switch at", "there is no refiner yet",
            "FP8 mode", "weights of 8 bits are chosen with --weights");
    private static final List<Axis> ALL = List.of(
            NOTHING,
            whole("Seed", (request, value) -> request.toBuilder().seed(value).build()),
            whole("Var. seed", (request, value) -> varied(request, value, request.variation().strength())),
            decimal("Var. strength", (request, value) -> varied(request, request.variation().seed(), value)),
            whole("Steps", (request, value) -> request.toBuilder().steps(whole("steps", value)).build()),
            whole("Hires steps", (request, value) -> hires(request, whole("hires steps", value), null, null, null)),
            decimal("CFG Scale", (request, value) -> request.toBuilder().cfgScale(value).build()),
            new Axis("Prompt S/R", 0, false, AxisValues::texts, (request, value, values, names) -> replaced(request, values.get(0), value)),
            new Axis("Prompt order", 0, false, AxisValues::permutations,
                    (request, value, values, names) -> reordered(request, (List<?>) value)),
            new Axis("Sampler", 0, false, AxisValues::texts, (request, value, values, names) -> sampler(request, value.toString())),
            text("Hires sampler", (request, value) -> hires(request, null, null, value, null)),
            new Axis("Checkpoint name", 1, false, AxisValues::texts,
                    (request, value, values, names) -> request.toBuilder().model(names.models.apply(value.toString())).build()),
            setting("Negative Guidance minimum sigma", Setting.MIN_UNCOND_SIGMA),
            setting("Sigma Churn", Setting.CHURN),
            setting("Sigma min", Setting.CHURN_MIN),
            setting("Sigma max", Setting.CHURN_MAX),
            setting("Sigma noise", Setting.CHURN_NOISE),
            text("Schedule type", (request, value) -> {
                SamplerChoice.find(request.sampler(), value);
                return request.toBuilder().schedule(value).build();
            }),
            setting("Schedule min sigma", Setting.SIGMA_MIN),
            setting("Schedule max sigma", Setting.SIGMA_MAX),
            setting("Schedule rho", Setting.RHO),
            setting("Beta schedule alpha", Setting.BETA_ALPHA),
            setting("Beta schedule beta", Setting.BETA_BETA),
            decimal("Eta", (request, value) -> request.toBuilder().eta(value).build()),
            setting("ENSD", Setting.ETA_NOISE_SEED_DELTA),
            setting("Clip skip", Setting.CLIP_SKIP),
            decimal("Denoising", Axis::denoising),
            setting("Initial noise multiplier", Setting.NOISE_MULTIPLIER),
            setting("Extra noise", Setting.EXTRA_NOISE),
            text("Hires upscaler", (request, value) -> hires(request, null, value, null, null)),
            new Axis("VAE", 0.7, true, AxisValues::texts,
                    (request, value, values, names) -> request.toBuilder().set(Setting.VAE, value).build()),
            new Axis("Styles", 0, true, AxisValues::texts,
                    (request, value, values, names) -> styled(request, value.toString(), names.styles)),
            new Axis("UniPC Order", 0.5, true, AxisValues::wholes,
                    (request, value, values, names) -> request.toBuilder().set(Setting.UNIPC_ORDER, value).build()),
            setting("Always discard next-to-last sigma", Setting.DISCARD_NEXT_TO_LAST),
            setting("SGM noise multiplier", Setting.SGM_NOISE_MULTIPLIER),
            setting("RNG source", Setting.NOISE_SOURCE),
            text("Size", Axis::sized));

    /** Names of all axes that there are. */
    public static List<String> labels() {
        return ALL.stream().map(Axis::label).toList();
    }

    /**
     * The axis of that name, in any case and with or without blanks and dots.
     *
     * @throws KilnException {@code BAD_REQUEST} when there is none, and when A1111's means nothing here, with the reason
     */
    public static Axis find(String name) {
        for (Axis axis : ALL) {
            if (plain(axis.label).equals(plain(name))) {
                return axis;
            }
        }
        NOT_HERE.forEach((label, reason) -> {
            if (plain(label).equals(plain(name))) {
                throw KilnException.badRequest("the axis " + label + " does nothing here: " + reason);
            }
        });
        throw KilnException.badRequest(
                "no axis is called \"" + name.replaceAll("\\p{Cntrl}", "?") + "\"" + NearestName.hint(name, labels()));
    }

    private static String plain(String name) {
        return name.toLowerCase(Locale.ROOT).replaceAll("[\\s._/-]", "");
    }

    /** What the grid says of a value. */
    public String caption(Object value) {
        if (this == NOTHING) {
            return "";
        }
        String text = value instanceof List<?> list ? String.join(", ", list.stream().map(Object::toString).toList()) : told(value);
        if (label.equals("Checkpoint name")) {
            text = text.substring(Math.max(text.lastIndexOf('/'), text.lastIndexOf('\\')) + 1);
        }
        return named ? label + ": " + text : text;
    }

    private static String told(Object value) {
        return value instanceof Double number
                ? new BigDecimal(number).setScale(8, RoundingMode.HALF_EVEN).stripTrailingZeros().toPlainString()
                : value.toString();
    }

    private static Axis whole(String label, BiFunction<GenerationRequest, Long, GenerationRequest> change) {
        return new Axis(label, 0, true, AxisValues::wholes, (request, value, values, names) -> change.apply(request, (Long) value));
    }

    private static Axis decimal(String label, BiFunction<GenerationRequest, Double, GenerationRequest> change) {
        return new Axis(label, 0, true, AxisValues::decimals, (request, value, values, names) -> change.apply(request, (Double) value));
    }

    private static Axis text(String label, BiFunction<GenerationRequest, String, GenerationRequest> change) {
        return new Axis(label, 0, true, AxisValues::texts, (request, value, values, names) -> change.apply(request, value.toString()));
    }

    private static Axis setting(String label, Setting setting) {
        Reader reader = setting.usual() instanceof Long ? AxisValues::wholes
                : setting.usual() instanceof Double ? AxisValues::decimals : AxisValues::texts;
        return new Axis(label, 0, true, reader, (request, value, values, names) -> request.toBuilder().set(setting, value).build());
    }

    private static int whole(String name, long value) {
        if (value != (int) value) {
            throw KilnException.badRequest(name + " " + value + " are too many");
        }
        return (int) value;
    }

    private static GenerationRequest sampler(GenerationRequest request, String name) {
        SamplerChoice choice = SamplerChoice.find(name, request.schedule());
        return request.toBuilder().sampler(choice.sampler().label()).schedule(choice.schedule().label()).build();
    }

    private static GenerationRequest varied(GenerationRequest request, long seed, double strength) {
        Variation before = request.variation();
        return request.toBuilder().variation(new Variation(seed, strength, before.resizeFromWidth(), before.resizeFromHeight())).build();
    }

    /** With what is not {@code null} in the second pass. */
    private static GenerationRequest hires(GenerationRequest request, Integer steps, String upscaler, String sampler, Double strength) {
        HiresPass pass = request.hires();
        if (pass == null) {
            throw KilnException.badRequest("an axis of the second pass needs one: give --hires");
        }
        return request.toBuilder().hires(new HiresPass(
                upscaler == null ? pass.upscaler() : upscaler, pass.scale(), pass.width(), pass.height(),
                steps == null ? pass.steps() : steps, strength == null ? pass.denoisingStrength() : strength,
                sampler == null ? pass.sampler() : sampler, pass.schedule(), pass.prompt(), pass.negativePrompt(), pass.cfgScale())).build();
    }

    private static GenerationRequest denoising(GenerationRequest request, double strength) {
        if (request.init() == null && request.hires() == null) {
            throw KilnException.badRequest("the axis Denoising needs a picture to begin from or a second pass");
        }
        return request.init() == null
                ? hires(request, null, null, null, strength)
                : request.toBuilder().init(request.init().withStrength(strength)).build();
    }

    private static GenerationRequest replaced(GenerationRequest request, Object searched, Object value) {
        String from = searched.toString();
        if (!request.prompt().contains(from) && !request.negativePrompt().contains(from)) {
            throw KilnException.badRequest("Prompt S/R: \"" + from.replaceAll("\\p{Cntrl}", "?") + "\" is in neither prompt");
        }
        return request.toBuilder()
                .prompt(request.prompt().replace(from, value.toString()))
                .negativePrompt(request.negativePrompt().replace(from, value.toString()))
                .build();
    }

    /** The words change places among themselves; what lies between them stays. */
    private static GenerationRequest reordered(GenerationRequest request, List<?> order) {
        List<String> places = new ArrayList<>(order.stream().map(Object::toString).toList());
        places.forEach(word -> {
            if (!request.prompt().contains(word)) {
                throw KilnException.badRequest("Prompt order: \"" + word.replaceAll("\\p{Cntrl}", "?") + "\" is not in the prompt");
            }
        });
        places.sort((a, b) -> Integer.compare(request.prompt().indexOf(a), request.prompt().indexOf(b)));
        StringBuilder prompt = new StringBuilder();
        String rest = request.prompt();
        for (int i = 0; i < places.size(); i++) {
            int at = Optional.of(rest.indexOf(places.get(i))).filter(found -> found >= 0).orElseThrow(
                    () -> KilnException.badRequest("Prompt order: the words overlap in the prompt"));
            prompt.append(rest, 0, at).append(order.get(i));
            rest = rest.substring(at + places.get(i).length());
        }
        return request.toBuilder().prompt(prompt + rest).build();
    }

    private static GenerationRequest styled(GenerationRequest request, String names, Styles styles) {
        List<String> chosen = List.of(names.split(","));
        chosen.forEach(styles::named);
        Style.Prompts prompts = styles.apply(new Style.Prompts(request.prompt(), request.negativePrompt()), chosen);
        return request.toBuilder().prompt(prompts.prompt()).negativePrompt(prompts.negativePrompt()).build();
    }

    private static GenerationRequest sized(GenerationRequest request, String text) {
        if (!text.matches("\\s*\\d{1,5}\\s*[xX]\\s*\\d{1,5}\\s*")) {
            throw KilnException.badRequest("the axis Size needs WIDTHxHEIGHT, as 512x768: \"" + text.replaceAll("\\p{Cntrl}", "?") + "\"");
        }
        String[] sides = text.strip().split("\\s*[xX]\\s*");
        return request.toBuilder().width(Integer.parseInt(sides[0])).height(Integer.parseInt(sides[1])).build();
    }
}
