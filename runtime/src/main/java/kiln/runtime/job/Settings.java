package kiln.runtime.job;

import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import kiln.runtime.base.KilnException;
import kiln.runtime.image.PictureEncoding;
import kiln.runtime.image.PictureFormat;
import kiln.runtime.noise.CardProfile;
import kiln.runtime.noise.NoiseKind;
import kiln.runtime.sampling.Guidance;
import kiln.runtime.sampling.SamplerOptions;
import kiln.runtime.text.EmphasisMode;
import kiln.runtime.text.PromptOptions;

/**
 * The values of some {@link Setting}s; all others are at their usual ones. Immutable, compared by value.
 *
 * @param values of each row's type; those that are as usual are left out
 */
public record Settings(Map<Setting, Object> values) {
    /** All as A1111 has them after installation, but for the noise, which is torch's on the CPU. */
    public static final Settings USUAL = new Settings(Map.of());

    /** @throws KilnException {@code BAD_REQUEST} for a value that its setting cannot have */
    public Settings {
        Map<Setting, Object> checked = new EnumMap<>(Setting.class);
        values.forEach((setting, value) -> {
            Object read = setting.read(value);
            if (!read.equals(setting.usual())) {
                checked.put(setting, read);
            }
        });
        values = Collections.unmodifiableMap(checked);
        samplerOptions(values);
        promptOptions(values);
        guidance(values);
        noiseKind(values);
        noiseCard(values);
        checkRange(values, Setting.CLIP_SKIP, 1, 12);
        checkRange(values, Setting.NOISE_MULTIPLIER, 0, 10);
        checkRange(values, Setting.EXTRA_NOISE, 0, 10);
        checkRange(values, Setting.MASK_WEIGHT, 0, 1);
        background(values);
        checkNoiseSchedule(values);
        encoding(values);
    }

    /**
     * Those of these names and values that decide a picture; all others are passed over.
     *
     * @param config names as in {@code config.json}; numbers, booleans, strings
     */
    public static Settings of(Map<String, ?> config) {
        Map<Setting, Object> values = new EnumMap<>(Setting.class);
        config.forEach((name, value) -> Setting.find(name).ifPresent(setting -> values.put(setting, value)));
        return new Settings(values);
    }

    public Settings with(Setting setting, Object value) {
        Map<Setting, Object> more = new EnumMap<>(Setting.class);
        more.putAll(values);
        more.put(setting, value);
        return new Settings(more);
    }

    /** These, and where they are as usual those. */
    public Settings over(Settings those) {
        Map<Setting, Object> both = new EnumMap<>(Setting.class);
        both.putAll(those.values);
        both.putAll(values);
        return new Settings(both);
    }

    public boolean flag(Setting setting) {
        return (Boolean) get(values, setting);
    }

    public double number(Setting setting) {
        return ((Number) get(values, setting)).doubleValue();
    }

    public long whole(Setting setting) {
        return (Long) get(values, setting);
    }

    public String text(Setting setting) {
        return (String) get(values, setting);
    }

    public NoiseKind noiseKind() {
        return noiseKind(values);
    }

    public CardProfile noiseCard() {
        return noiseCard(values);
    }

    public SamplerOptions samplerOptions() {
        return samplerOptions(values);
    }

    /** Without embeddings. */
    public PromptOptions promptOptions() {
        return promptOptions(values);
    }

    public Guidance guidance() {
        return guidance(values);
    }

    /** How its pictures are written. */
    public PictureEncoding encoding() {
        return encoding(values);
    }

    /** Behind transparent parts of a picture to begin from, 0xRRGGBB. */
    public int background() {
        return background(values);
    }

    private static int background(Map<Setting, Object> values) {
        String colour = (String) get(values, Setting.BACKGROUND);
        if (!colour.matches("#[0-9a-fA-F]{6}")) {
            throw misfit(Setting.BACKGROUND, colour);
        }
        return Integer.parseInt(colour.substring(1), 16);
    }

    private static PictureEncoding encoding(Map<Setting, Object> values) {
        String name = (String) get(values, Setting.SAMPLES_FORMAT);
        PictureFormat format = PictureFormat.ofName("." + name);
        if (format == null) {
            throw misfit(Setting.SAMPLES_FORMAT, name);
        }
        checkRange(values, Setting.JPEG_QUALITY, 1, 100);
        return new PictureEncoding(
                format, ((Long) get(values, Setting.JPEG_QUALITY)).intValue(), (Boolean) get(values, Setting.WEBP_LOSSLESS));
    }

    private static Object get(Map<Setting, Object> values, Setting setting) {
        return values.getOrDefault(setting, setting.usual());
    }

    private static NoiseKind noiseKind(Map<Setting, Object> values) {
        String name = (String) get(values, Setting.NOISE_SOURCE);
        for (NoiseKind kind : NoiseKind.values()) {
            if (kind.name().equalsIgnoreCase(name)) {
                return kind;
            }
        }
        throw misfit(Setting.NOISE_SOURCE, name);
    }

    private static CardProfile noiseCard(Map<Setting, Object> values) {
        return CardProfile.find((String) get(values, Setting.NOISE_CARD));
    }

    private static SamplerOptions samplerOptions(Map<Setting, Object> values) {
        Map<String, Object> config = new LinkedHashMap<>();
        values.forEach((setting, value) -> config.put(setting.configName(), value));
        return SamplerOptions.of(config);
    }

    private static PromptOptions promptOptions(Map<Setting, Object> values) {
        String emphasis = (String) get(values, Setting.EMPHASIS);
        checkRange(values, Setting.COMMA_BACKTRACK, 0, 74);
        return PromptOptions.DEFAULT
                .withComments((Boolean) get(values, Setting.PROMPT_COMMENTS))
                .withEmphasis(EmphasisMode.find(emphasis).orElseThrow(() -> misfit(Setting.EMPHASIS, emphasis)))
                .withCommaBacktrack(((Long) get(values, Setting.COMMA_BACKTRACK)).intValue())
                .withOldEmphasis((Boolean) get(values, Setting.OLD_EMPHASIS));
    }

    private static Guidance guidance(Map<Setting, Object> values) {
        return new Guidance(
                (Double) get(values, Setting.SKIP_EARLY_CFG),
                (Double) get(values, Setting.MIN_UNCOND_SIGMA),
                (Boolean) get(values, Setting.MIN_UNCOND_ALL));
    }

    private static void checkNoiseSchedule(Map<Setting, Object> values) {
        String name = (String) get(values, Setting.NOISE_SCHEDULE);
        if (!name.equals("Default") && !name.equals("Zero Terminal SNR")) {
            throw misfit(Setting.NOISE_SCHEDULE, name);
        }
    }

    private static void checkRange(Map<Setting, Object> values, Setting setting, double least, double most) {
        double value = ((Number) get(values, setting)).doubleValue();
        if (!(value >= least && value <= most)) {
            throw KilnException.badRequest(
                    setting.label().orElse(setting.configName()).toLowerCase(Locale.ROOT) + " " + plain(value) + " is outside "
                            + (long) least + " to " + (long) most);
        }
    }

    private static String plain(double value) {
        return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
    }

    private static KilnException misfit(Setting setting, String value) {
        String shown = value.length() > 40 ? value.substring(0, 40) + "…" : value;
        return KilnException.badRequest(
                "setting " + setting.configName() + " is \"" + shown.replaceAll("\\p{Cntrl}", "?") + "\"; needed is " + setting.help());
    }
}
