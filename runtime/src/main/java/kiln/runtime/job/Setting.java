package kiln.runtime.job;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.NearestName;
import kiln.runtime.image.PictureEncoding;
import kiln.runtime.noise.CardProfile;

/**
 * The options that decide a picture and its file beside a request's own fields: A1111's, by their names in its {@code config.json} and in pictures'
 * parameters. A request carries them ({@link Settings}), so that flags, settings files, pasted parameters and plots all set the same rows.
 *
 * <p>A default's type is the row's: {@link Boolean}, {@link Long}, {@link Double} or {@link String}.
 */
public enum Setting {
    CLIP_SKIP("CLIP_stop_at_last_layers", "Clip skip", 1L, "1 is the text encoder's last layer, 2 the one before"),
    VAE("sd_vae", "VAE", "Automatic", "a VAE's file name, None for the checkpoint's own, or Automatic"),
    NOISE_SOURCE("randn_source", "RNG", "CPU", "CPU, NV or GPU"),
    NOISE_CARD("kiln_noise_card", "RNG card", CardProfile.USUAL.name(), "whose random numbers GPU stands for: its name, or 28x1536"),
    ETA_NOISE_SEED_DELTA("eta_noise_seed_delta", "ENSD", 0L, "added to the seed for all noise after the first"),
    ETA_ANCESTRAL("eta_ancestral", "Eta", 1.0, "how much of a step's noise is fresh"),
    ETA_DDIM("eta_ddim", "Eta DDIM", 0.0, "the same for DDIM and DDIM CFG++"),
    CHURN("s_churn", "Sigma churn", 0.0, "noise added before a step and removed by it"),
    CHURN_MIN("s_tmin", "Sigma tmin", 0.0, "lowest level at which churn is added"),
    CHURN_MAX("s_tmax", "Sigma tmax", 0.0, "highest level at which churn is added; 0 for none"),
    CHURN_NOISE("s_noise", "Sigma noise", 1.0, "factor of the noise that samplers add"),
    SIGMA_MIN("sigma_min", "Schedule min sigma", 0.0, "lowest noise level; 0 for the model's own"),
    SIGMA_MAX("sigma_max", "Schedule max sigma", 0.0, "highest noise level; 0 for the model's own"),
    RHO("rho", "Schedule rho", 0.0, "power of Karras and Polyexponential; 0 for their own"),
    BETA_ALPHA("beta_dist_alpha", "Beta schedule alpha", 0.6, "first parameter of the schedule Beta"),
    BETA_BETA("beta_dist_beta", "Beta schedule beta", 0.6, "second parameter of the schedule Beta"),
    DISCARD_NEXT_TO_LAST("always_discard_next_to_last_sigma", "Discard penultimate sigma", false, "leave out the last level but one"),
    OLD_KARRAS("use_old_karras_scheduler_sigmas", null, false, "Karras from 0.1 to 10, as until 2023"),
    QUANTIZATION("enable_quantization", null, false, "noise levels count as the nearest whole timestep"),
    SGM_NOISE_MULTIPLIER("sgm_noise_multiplier", "SGM noise multiplier", false, "begin as Stability's own code does"),
    UNIPC_VARIANT("uni_pc_variant", "UniPC variant", "bh1", "bh1, bh2 or vary_coeff"),
    UNIPC_SKIP_TYPE("uni_pc_skip_type", "UniPC skip type", "time_uniform", "time_uniform, time_quadratic or logSNR"),
    UNIPC_ORDER("uni_pc_order", "UniPC order", 3L, "how many steps UniPC looks back"),
    UNIPC_LOWER_ORDER_FINAL("uni_pc_lower_order_final", "UniPC lower order final", true, "fewer at the end"),
    MIN_UNCOND_SIGMA("s_min_uncond", "NGMS", 0.0, "below this level every other call does without the negative prompt"),
    MIN_UNCOND_ALL("s_min_uncond_all", "NGMS all steps", false, "not every other call but each"),
    SKIP_EARLY_CFG("skip_early_cond", "Skip Early CFG", 0.0, "part of the run, from its start, without the negative prompt"),
    PAD_COND("pad_cond_uncond", "Pad conds", false, "fill up the shorter prompt with the empty one"),
    PAD_COND_V0("pad_cond_uncond_v0", "Pad conds v0", false, "make the negative prompt as long as the prompt, as before 1.6"),
    PROMPT_COMMENTS("enable_prompt_comments", null, true, "# hides the rest of a line"),
    EMPHASIS("emphasis", "Emphasis", "Original", "Original, No norm, Ignore or None"),
    OLD_EMPHASIS("use_old_emphasis_implementation", "Old emphasis", false, "brackets as in the autumn of 2022"),
    COMMA_BACKTRACK("comma_padding_backtrack", null, 20L, "how far from a chunk's end a comma may break it"),
    OLD_SCHEDULING("use_old_scheduling", "Old prompt editing timelines", false, "[from:to:when] as before 1.6"),
    DOWNCAST_ALPHAS("use_downcasted_alpha_bar", "Downcast alphas_cumprod", false, "noise levels rounded to 16 bits, as before 1.8"),
    NOISE_SCHEDULE("sd_noise_schedule", "Noise Schedule", "Default", "Default or Zero Terminal SNR"),
    FIXED_STEPS("img2img_fix_steps", null, false, "from a picture, do as many steps as asked for whatever the strength"),
    NOISE_MULTIPLIER("initial_noise_multiplier", "Noise multiplier", 1.0, "from a picture, factor of the first noise"),
    EXTRA_NOISE("img2img_extra_noise", "Extra noise", 0.0, "from a picture, noise added once more"),
    BACKGROUND("img2img_background_color", null, "#ffffff", "colour behind the transparent parts of a picture to begin from: #rrggbb"),
    MASK_WEIGHT("inpainting_mask_weight", "Conditional mask weight", 1.0, "how much of what a mask hides an inpainting model does not see"),
    TILING("tiling", "Tiling", false, "pictures whose opposite edges join"),
    SAMPLES_FORMAT("samples_format", null, "png", "png, jpg or webp"),
    JPEG_QUALITY("jpeg_quality", null, (long) PictureEncoding.USUAL_QUALITY, "of JPEG and WebP, 1 to 100"),
    WEBP_LOSSLESS("webp_lossless", null, false, "WebP keeps every pixel as it is"),
    SAVE_TEXT("save_txt", null, false, "a text file with the parameters beside each picture");

    private static final Map<String, Setting> BY_NAME =
            Arrays.stream(values()).collect(Collectors.toUnmodifiableMap(row -> row.configName, Function.identity()));
    private static final int SHOWN = 60;

    private final String configName;
    private final String label;
    private final Object usual;
    private final String help;

    Setting(String configName, String label, Object usual, String help) {
        this.configName = configName;
        this.label = label;
        this.usual = usual;
        this.help = help;
    }

    /** Its name in {@code config.json}. */
    public String configName() {
        return configName;
    }

    /** Its name in pictures' parameters; empty for the few that A1111 does not write. */
    public Optional<String> label() {
        return Optional.ofNullable(label);
    }

    /** What it is when nobody says anything. */
    public Object usual() {
        return usual;
    }

    /** A few words on what it does. */
    public String help() {
        return help;
    }

    public static Optional<Setting> find(String configName) {
        return Optional.ofNullable(BY_NAME.get(configName));
    }

    /** @throws KilnException {@code BAD_REQUEST} when there is none of that name; the message names the nearest */
    public static Setting named(String configName) {
        return find(configName).orElseThrow(() -> {
            List<String> names = Arrays.stream(values()).map(Setting::configName).toList();
            String hint = configName.length() > SHOWN ? "" : NearestName.hint(configName, names);
            return KilnException.badRequest("no setting is called " + shown(configName) + hint);
        });
    }

    /**
     * A value of the row's type: a number from any number or its text, true and false from their texts in any case.
     *
     * @throws KilnException {@code BAD_REQUEST} for a value that does not fit the row
     */
    public Object read(Object value) {
        String text = value.toString().strip();
        if (usual instanceof String) {
            return text;
        }
        if (usual instanceof Boolean && (text.equalsIgnoreCase("true") || text.equalsIgnoreCase("false"))) {
            return Boolean.valueOf(text.toLowerCase(Locale.ROOT));
        }
        if (!(usual instanceof Boolean)) {
            try {
                double number = Double.parseDouble(text);
                boolean whole = number == Math.rint(number) && Math.abs(number) < 1L << 53;
                if (usual instanceof Double && Double.isFinite(number) || whole) {
                    return usual instanceof Double ? (Object) number : (Object) (long) number;
                }
            } catch (NumberFormatException e) {
                // Told below.
            }
        }
        String needed = usual instanceof Boolean ? "true or false" : usual instanceof Double ? "a number" : "a whole number";
        throw KilnException.badRequest("setting " + configName + " is " + shown(text) + "; needed is " + needed);
    }

    private static String shown(String text) {
        String cut = text.length() > SHOWN ? text.substring(0, SHOWN) + "…" : text;
        return '"' + cut.replaceAll("\\p{Cntrl}", "?") + '"';
    }
}
