package kiln.runtime.engine;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import kiln.runtime.base.KilnException;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.job.GenerationRequest.Variation;
import kiln.runtime.job.Setting;
import kiln.runtime.noise.NoiseKind;
import kiln.runtime.sampling.SamplerChoice;

/**
 * What a web-UI folder presets for requests: options of its {@code config.json}, then the fields of its {@code ui-config.json}. A value that is
 * not possible leaves one line and A1111's default stays.
 */
public final class WebUiDefaults {
    /** Since 1.6 the sampler's fields, and since 1.7 the seed's, belong to built-in scripts; before, to the page itself. */
    private static final Pattern FIELD =
            Pattern.compile("(customscript/(?:sampler|seed)\\.py/)?([^/]{1,20})/([^/]{1,60})/value", Pattern.CASE_INSENSITIVE);

    private GenerationRequest request = GenerationRequest.builder().build();
    private final Consumer<String> notices;

    private WebUiDefaults(Consumer<String> notices) {
        this.notices = notices;
    }

    /** Sets one value. */
    @FunctionalInterface
    private interface Change {
        void apply(GenerationRequest.Builder builder, Object value);
    }

    private static final Map<String, Change> FIELDS = Map.ofEntries(
            Map.entry("prompt", (builder, value) -> builder.prompt(text(value))),
            Map.entry("negative prompt", (builder, value) -> builder.negativePrompt(text(value))),
            Map.entry("sampling method", (builder, value) -> builder.sampler(text(value))),
            Map.entry("schedule type", (builder, value) -> builder.schedule(text(value))),
            Map.entry("sampling steps", (builder, value) -> builder.steps(whole(value))),
            Map.entry("width", (builder, value) -> builder.width(whole(value))),
            Map.entry("height", (builder, value) -> builder.height(whole(value))),
            Map.entry("cfg scale", (builder, value) -> builder.cfgScale(number(value))),
            Map.entry("seed", (builder, value) -> builder.seed((long) number(value))),
            Map.entry("variation seed", (builder, value) -> vary(builder, v -> new Variation(
                    (long) number(value), v.strength(), v.resizeFromWidth(), v.resizeFromHeight()))),
            Map.entry("variation strength", (builder, value) -> vary(builder, v -> new Variation(
                    v.seed(), number(value), v.resizeFromWidth(), v.resizeFromHeight()))),
            Map.entry("resize seed from width", (builder, value) -> vary(builder, v -> new Variation(
                    v.seed(), v.strength(), whole(value), v.resizeFromHeight()))),
            Map.entry("resize seed from height", (builder, value) -> vary(builder, v -> new Variation(
                    v.seed(), v.strength(), v.resizeFromWidth(), whole(value)))),
            Map.entry("batch count", (builder, value) -> builder.batchCount(whole(value))),
            Map.entry("batch size", (builder, value) -> builder.batchSize(whole(value))));

    /**
     * @param page whose fields count, "txt2img" or "img2img"
     * @param notices told in one line of each value that is not possible
     * @return a request without a model, which has A1111's defaults where the files say nothing
     */
    public static GenerationRequest of(WebUiConfig config, WebUiConfig uiConfig, String page, Consumer<String> notices) {
        WebUiDefaults defaults = new WebUiDefaults(notices);
        if (config.exists()) {
            defaults.options(config);
        }
        defaults.fields(uiConfig, page);
        return defaults.request;
    }

    private void options(WebUiConfig config) {
        // Where there are settings, the rest of them is A1111's: a file that does not name the source means the card's.
        request = request.toBuilder().noise(NoiseKind.GPU).build();
        for (Setting setting : Setting.values()) {
            set(config, setting.configName(), (builder, value) -> builder.set(setting, value));
        }
    }

    private void fields(WebUiConfig file, String page) {
        Map<String, String> keys = new LinkedHashMap<>();
        file.values().keySet().forEach(key -> {
            Matcher field = FIELD.matcher(key);
            if (field.matches() && field.group(2).equals(page)) {
                String label = field.group(3).toLowerCase(Locale.ROOT);
                // A key of before 1.6 may have stayed in the file.
                if (field.group(1) != null || !keys.containsKey(label)) {
                    keys.put(label, key);
                }
            }
        });
        keys.forEach((label, key) -> {
            Change change = FIELDS.get(label);
            if (change != null) {
                set(file, key, change);
            }
        });
    }

    private void set(WebUiConfig file, String name, Change change) {
        Object value = file.values().get(name);
        if (value == null) {
            return;
        }
        try {
            GenerationRequest.Builder builder = request.toBuilder();
            change.apply(builder, value);
            GenerationRequest changed = builder.build();
            SamplerChoice.find(changed.sampler(), changed.schedule());
            request = changed;
        } catch (KilnException e) {
            notices.accept(file.file() + ": \"" + name + "\" is " + shown(value) + ", which is not taken: " + e.getMessage());
        }
    }

    private static String shown(Object value) {
        String text = value instanceof Map || value instanceof List ? "a list" : value.toString().replaceAll("\\p{Cntrl}", "?");
        return text.length() > 40 ? text.substring(0, 40) + "…" : text;
    }

    private static void vary(GenerationRequest.Builder builder, UnaryOperator<Variation> change) {
        builder.variation(change.apply(builder.build().variation()));
    }

    private static String text(Object value) {
        if (value instanceof String text) {
            return text;
        }
        throw KilnException.badRequest("needed is a text");
    }

    private static double number(Object value) {
        if (value instanceof Number number && Double.isFinite(number.doubleValue())) {
            return number.doubleValue();
        }
        throw KilnException.badRequest("needed is a number");
    }

    /** Sliders write 20 and 20.0 alike. */
    private static int whole(Object value) {
        double number = number(value);
        if (number != Math.rint(number) || Math.abs(number) > Integer.MAX_VALUE) {
            throw KilnException.badRequest("needed is a whole number");
        }
        return (int) number;
    }
}
