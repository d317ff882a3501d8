package kiln.tui.cli.options;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** Options that say where files are, understood by every command. */
final class PlaceOptions {
    @Option(
            names = "--ckpt",
            paramLabel = "FILE",
            description = "Use this model: a file or a diffusers folder (repeatable: the first is used, all are offered).")
    List<Path> checkpoints = new ArrayList<>();

    @Option(names = "--ckpt-dir", paramLabel = "DIR", description = "Look for models here, too (KILN_CKPT_DIR).")
    Path checkpointFolder;

    @Option(names = "--vae-path", paramLabel = "FILE", description = "Decode with this VAE, whatever settings and models say.")
    Path vaeFile;

    @Option(names = "--vae-dir", paramLabel = "DIR", description = "Look for VAEs here, too.")
    Path vaeFolder;

    @Option(names = "--config", paramLabel = "FILE", description = "How SD 1.x models without a .yaml of their own beside them are meant.")
    Path config;

    @Option(names = "--no-hashing", description = "Read no whole file for its hash; those that are known are used.")
    boolean noHashing;

    @Option(names = "--lora-dir", paramLabel = "DIR", description = "Look for LoRA files here, too (KILN_LORA_DIR).")
    Path loraFolder;

    @Option(names = "--embeddings-dir", paramLabel = "DIR", description = "Textual inversions (KILN_EMBEDDINGS_DIR).")
    Path embeddingFolder;

    @Option(names = "--data-dir", paramLabel = "DIR", description = "A web UI's folder, or one like it: models/, outputs/, config.json (KILN_DATA_DIR).")
    Path dataFolder;

    @Option(names = "--models-dir", paramLabel = "DIR", description = "Parent of Stable-diffusion/, ESRGAN/ and RealESRGAN/ (KILN_MODELS_DIR).")
    Path modelsFolder;

    @Option(names = "--esrgan-models-path", paramLabel = "DIR", description = "Look for upscalers here, too.")
    Path esrganFolder;

    @Option(names = "--realesrgan-models-path", paramLabel = "DIR", description = "And here.")
    Path realEsrganFolder;

    @Option(names = "--output-dir", paramLabel = "DIR", description = "Parent of txt2img-images/ (KILN_OUTPUT_DIR).")
    Path outputFolder;

    @Option(names = "--config-dir", paramLabel = "DIR", description = "Settings (KILN_CONFIG_DIR).")
    Path configFolder;

    @Option(names = "--cache-dir", paramLabel = "DIR", description = "Hashes, unpacked libraries (KILN_CACHE_DIR).")
    Path cacheFolder;

    @Option(names = "--state-dir", paramLabel = "DIR", description = "Histories, logs (KILN_STATE_DIR).")
    Path stateFolder;

    @Option(names = "--ui-settings-file", paramLabel = "FILE", description = "The web UI's settings. Default: config.json in the data folder.")
    Path settingsFile;

    @Option(names = "--ui-config-file", paramLabel = "FILE", description = "Its pages' presets. Default: ui-config.json in the data folder.")
    Path uiConfigFile;

    @Option(names = "--no-prompt-history", description = "Keep no prompts: neither params.txt nor the terminal's history.")
    boolean noPromptHistory;

    @Option(
            names = "--styles-file",
            paramLabel = "FILE",
            description = "Styles (repeatable; * and ? in its name). Default: styles.csv in the data folder.")
    List<Path> styleFiles = new ArrayList<>();

    @Option(names = "--unix-filenames-sanitization", description = "Let names of pictures have all characters but slashes.")
    boolean unixNames;

    @Option(
            names = "--filenames-max-length",
            paramLabel = "N",
            description = "Characters that a part of a picture's name may have. Default: 128.")
    int longestName = 128;
}
