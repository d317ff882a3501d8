package kiln.tui.cli.options;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import kiln.runtime.engine.Models;
import kiln.runtime.engine.WebUiConfig;
import kiln.runtime.engine.WebUiDefaults;
import kiln.runtime.job.GenerationRequest;

/**
 * What the data folder says when it is one of A1111's web UI: its settings and its pages' presets. A folder without these files says nothing,
 * and Kiln does what it does anywhere.
 */
public final class WebUiFolder {
    private static final String VAE_OVERRIDES = "sd_vae_overrides_per_model_preferences";

    /** The options that are read here; others are a request's. */
    public static final Set<String> READ = Set.of(
            "sd_model_checkpoint", "quicksettings_list", "outdir_samples", "outdir_txt2img_samples", "outdir_img2img_samples",
            VAE_OVERRIDES, "enable_console_prompts", "infotext_styles", "samples_filename_pattern", "save_images_add_number", "save_to_dirs",
            "directories_filename_pattern", "directories_max_prompt_words", "grid_save", "grid_only_if_multiple", "n_rows",
            "grid_prevent_empty_spots", "grid_save_to_dirs", "grid_extended_filename", "grid_background_color", "grid_text_active_color",
            "grid_text_inactive_color");

    private static final Pattern WINDOWS_PATH = Pattern.compile("[A-Za-z]:[\\\\/].*|\\\\\\\\.*", Pattern.DOTALL);

    private final Path data;
    private final Path outputs;
    private final WebUiConfig settings;
    private final WebUiConfig uiConfig;
    private final Consumer<String> notices;

    private WebUiFolder(Path data, Path outputs, WebUiConfig settings, WebUiConfig uiConfig, Consumer<String> notices) {
        this.data = data;
        this.outputs = outputs;
        this.settings = settings;
        this.uiConfig = uiConfig;
        this.notices = notices;
    }

    /**
     * Reads both files.
     *
     * @param outputs the parent of the pictures' folders where an option or a variable says so, which goes before the settings; else
     *     {@code null}
     * @param notices told in one line of each thing in the files that is not taken, now and later
     */
    static WebUiFolder read(Path data, Path outputs, Path settingsFile, Path uiConfigFile, Consumer<String> notices) {
        return new WebUiFolder(
                data, outputs, WebUiConfig.read(settingsFile, notices), WebUiConfig.read(uiConfigFile, notices), notices);
    }

    public WebUiConfig settings() {
        return settings;
    }

    /** Names of the options that the web UI's page has at its top. */
    public List<String> quickSettings() {
        // The older name's list is one string.
        return settings.texts(settings.values().containsKey("quicksettings_list") ? "quicksettings_list" : "quicksettings");
    }

    /**
     * A request that has the folder's presets, and A1111's where it has none.
     *
     * @param page whose fields count, "txt2img" or "img2img"
     */
    public GenerationRequest requestDefaults(String page) {
        return WebUiDefaults.of(settings, uiConfig, page, notices);
    }

    /** The checkpoint that was chosen last on the web UI's page, if it is still there. */
    Optional<Path> checkpoint(Models models) {
        String title = settings.text("sd_model_checkpoint", null);
        if (title == null) {
            return Optional.empty();
        }
        Optional<Path> found = models.find(title.replace('\\', '/')).map(Models.Entry::path);
        if (found.isEmpty()) {
            notices.accept(settings.file() + " has chosen the model " + title.replaceAll("\\p{Cntrl}", "?") + ", which is not there");
        }
        return found;
    }

    /** Whether a VAE that is named in the settings goes before what a model's notes or name ask for; until 1.6 the question was asked the other way round. */
    boolean vaeOverridesModel() {
        Object said = settings.values().get(VAE_OVERRIDES);
        return said == null ? !Boolean.TRUE.equals(settings.values().get("sd_vae_as_default")) : !Boolean.FALSE.equals(said);
    }

    /** Where pictures from text go, without the folders that are made for each date. */
    public Path txt2imgFolder() {
        return outputFolder("outdir_samples", "outdir_txt2img_samples", "txt2img-images");
    }

    /** The same for pictures from pictures. */
    public Path img2imgFolder() {
        return outputFolder("outdir_samples", "outdir_img2img_samples", "img2img-images");
    }

    private Path outputFolder(String common, String own, String usual) {
        if (outputs != null) {
            return outputs.resolve(usual);
        }
        Path folder = data.resolve("outputs").resolve(usual);
        // An empty one for all kinds of pictures means one for each.
        String said = settings.text(common, settings.text(own, null));
        if (said == null) {
            return folder;
        }
        if (WINDOWS_PATH.matcher(said).matches() && !System.getProperty("os.name").startsWith("Windows")) {
            notices.accept(settings.file() + " wants pictures in " + said + ", a folder of another machine: they go to " + folder);
            return folder;
        }
        try {
            // A1111 starts in its own folder, which relative paths begin at.
            return data.resolve(said.replace('\\', '/')).normalize();
        } catch (InvalidPathException e) {
            notices.accept(settings.file() + ": \"" + own + "\" is not a path: pictures go to " + folder);
            return folder;
        }
    }
}
