package kiln.tui.cli.options;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** Options that say where files are, understood by every command. */
final class PlaceOptions {
    @Option(names = "--ckpt", paramLabel = "FILE", description = "Use this model (repeatable: the first is used, all are offered).")
    List<Path> checkpoints = new ArrayList<>();

    @Option(names = "--ckpt-dir", paramLabel = "DIR", description = "Look for models here, too (KILN_CKPT_DIR).")
    Path checkpointFolder;

    @Option(names = "--data-dir", paramLabel = "DIR", description = "Parent of models/ and outputs/ (KILN_DATA_DIR).")
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
}
