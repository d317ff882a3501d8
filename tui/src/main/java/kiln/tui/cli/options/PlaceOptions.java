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

    @Option(names = "--lora-dir", paramLabel = "DIR", description = "Look for LoRA files here, too (KILN_LORA_DIR).")
    Path loraFolder;

    @Option(names = "--embeddings-dir", paramLabel = "DIR", description = "Textual inversions (KILN_EMBEDDINGS_DIR).")
    Path embeddingFolder;

    @Option(names = "--data-dir", paramLabel = "DIR", description = "Parent of models/ and outputs/ (KILN_DATA_DIR).")
    Path dataFolder;

    @Option(names = "--models-dir", paramLabel = "DIR", description = "Parent of Stable-diffusion/ (KILN_MODELS_DIR).")
    Path modelsFolder;

    @Option(names = "--output-dir", paramLabel = "DIR", description = "Parent of txt2img-images/ (KILN_OUTPUT_DIR).")
    Path outputFolder;

    @Option(names = "--config-dir", paramLabel = "DIR", description = "Settings (KILN_CONFIG_DIR).")
    Path configFolder;

    @Option(names = "--cache-dir", paramLabel = "DIR", description = "Hashes, unpacked libraries (KILN_CACHE_DIR).")
    Path cacheFolder;

    @Option(names = "--state-dir", paramLabel = "DIR", description = "Histories, logs (KILN_STATE_DIR).")
    Path stateFolder;
}
