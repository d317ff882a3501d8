package kiln.runtime.merge;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.KilnException.Category;
import kiln.runtime.merge.MergedTensor.Source;
import kiln.weights.CheckpointKind;
import kiln.weights.WeightsFile;

/** An open checkpoint or VAE with its tensors by the names of the original code; whoever opens it closes it. */
final class MergeInput implements AutoCloseable {
    static final String AUTOENCODER = "first_stage_model.";
    private static final String TEXT = "cond_stage_model.transformer.";
    private static final List<String> SHORT_TEXT_NAMES = List.of("embeddings.", "encoder.", "final_layer_norm.");
    private static final Set<String> VAE_NOTES = Set.of("model_ema.decay", "model_ema.num_updates");

    private final WeightsFile file;
    private final Map<String, Source> tensors = new LinkedHashMap<>();

    private MergeInput(WeightsFile file) {
        this.file = file;
    }

    /** A checkpoint; some programs left {@code text_model.} out of its text encoder's names. */
    static MergeInput checkpoint(Path path) {
        if (Files.isDirectory(path)) {
            throw KilnException.badRequest(path + ": a folder in the way of the diffusers library: only checkpoints of one file can be merged");
        }
        MergeInput input = new MergeInput(WeightsFile.open(path));
        CheckpointKind kind = CheckpointKind.of(input.file);
        if (!kind.isModel()) {
            input.close();
            throw new KilnException(Category.UNSUPPORTED_MODEL, path + ": no checkpoint but a file of the kind " + kind.displayName()
                    + ": only checkpoints can be merged");
        }
        input.file.tensors().forEach(info -> {
            String name = info.name();
            boolean isShort = name.startsWith(TEXT) && SHORT_TEXT_NAMES.stream().anyMatch(part -> name.startsWith(part, TEXT.length()));
            String whole = isShort ? TEXT + "text_model." + name.substring(TEXT.length()) : name;
            input.tensors.putIfAbsent(whole, new Source(input.file, info));
        });
        return input;
    }

    /** A VAE's own file, or a checkpoint's VAE, by the names that a checkpoint has. */
    static MergeInput vae(Path path) {
        MergeInput input = new MergeInput(WeightsFile.open(path));
        Map<String, Source> own = new HashMap<>();
        input.file.tensors().forEach(info -> {
            String name = info.name();
            if (name.startsWith(AUTOENCODER)) {
                own.put(name, new Source(input.file, info));
            } else if (!name.startsWith("loss") && !VAE_NOTES.contains(name)) {
                own.putIfAbsent(AUTOENCODER + name, new Source(input.file, info));
            }
        });
        if (!own.containsKey(AUTOENCODER + "decoder.conv_in.weight")) {
            input.close();
            throw new KilnException(Category.UNSUPPORTED_MODEL, path + ": no VAE: it has no tensor decoder.conv_in.weight");
        }
        input.tensors.putAll(own);
        return input;
    }

    Map<String, Source> tensors() {
        return tensors;
    }

    Path path() {
        return file.path();
    }

    Map<String, String> metadata() {
        return file.metadata();
    }

    @Override
    public void close() {
        file.close();
    }
}
