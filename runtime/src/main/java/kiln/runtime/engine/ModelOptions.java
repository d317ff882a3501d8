package kiln.runtime.engine;

import java.nio.file.Path;
import java.util.List;

/**
 * How checkpoints are completed and known.
 *
 * @param vaeFile {@code --vae-path}: the VAE whatever else is said; {@code null} leaves the choice to the rest
 * @param vaeFolders whose files are all VAEs, besides those found beside checkpoints
 * @param vaeOverridesModel A1111's {@code sd_vae_overrides_per_model_preferences}: whether a VAE that a request names goes before what the
 *     model asks for
 * @param config {@code --config}: how plain SD 1.x checkpoints without a {@code .yaml} beside them are meant; {@code null} for the usual
 * @param hashes whether whole files may be read for their hashes; {@code false} leaves those that are known ({@code --no-hashing})
 * @param upscalerFolders searched for upscalers, in order
 */
public record ModelOptions(
        Path vaeFile, List<Path> vaeFolders, boolean vaeOverridesModel, Path config, boolean hashes, List<Path> upscalerFolders) {
    public static final ModelOptions DEFAULT = new ModelOptions(null, List.of(), true, null, true, List.of());

    public ModelOptions {
        vaeFolders = List.copyOf(vaeFolders);
        upscalerFolders = List.copyOf(upscalerFolders);
    }
}
