package kiln.runtime.engine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import kiln.runtime.addon.AddOnHashes;
import kiln.runtime.addon.EmbeddingCatalog;
import kiln.runtime.addon.EmbeddingFile;
import kiln.runtime.addon.LoraBase;
import kiln.runtime.addon.LoraCatalog;
import kiln.runtime.addon.LoraFile;
import kiln.runtime.addon.LoraTargets;
import kiln.runtime.addon.TriggerWords;
import kiln.runtime.base.KilnException;
import kiln.runtime.family.ModelFiles;

/** What can be added to a model, told file by file. Every call looks anew; no device is opened. Safe from any thread. */
public final class AddOnCatalog {
    private static final int MOST_WORDS = 8;

    private final AddOnFolders folders;
    private final AddOnHashes hashes = new AddOnHashes();

    /**
     * A file of LoRA or its relatives.
     *
     * @param alias what whoever trained it called it; empty where that is not told
     * @param kinds how many modules of each kind: "264 LoRA"
     * @param base the family that it was made for; empty where nothing tells
     * @param rank the largest; 0 where there is none
     * @param hash 12 digits; {@code null} when it was not asked for
     * @param words that it was trained with, the most frequent first
     * @param misfit why it cannot be used with the model in question, {@code null} when it can or none is in question
     */
    public record Lora(
            String name, Path path, String alias, String kinds, String base, long rank, long bytes, String hash, List<String> words, String misfit) {
        public Lora {
            Objects.requireNonNull(name, "name");
            words = List.copyOf(words);
        }
    }

    /**
     * A textual inversion.
     *
     * @param vectors how many places it takes; 0 for a file that cannot be used
     * @param widths of the text encoders that it is for
     * @param hash 12 digits; {@code null} when it was not asked for
     * @param misfit why it cannot be used with the model in question, {@code null} when it can or none is in question
     */
    public record Embedding(String name, Path path, int vectors, List<Integer> widths, String hash, String misfit) {
        public Embedding {
            Objects.requireNonNull(name, "name");
            widths = List.copyOf(widths);
        }
    }

    public AddOnCatalog(AddOnFolders folders) {
        this.folders = folders;
    }

    /**
     * @param model that they are to fit; {@code null} for none in question
     * @param hash whether to read files whose metadata has no hash
     */
    public List<Lora> loras(ModelFiles model, boolean hash) {
        LoraTargets targets = model == null ? null : LoraTargets.of(model);
        return new LoraCatalog(folders.loras()).list().stream().map(path -> lora(path, targets, hash)).toList();
    }

    /** As {@link #loras(ModelFiles, boolean)} for the checkpoint. */
    public List<Lora> loras(Path checkpoint, boolean hash) {
        try (ModelFiles model = ModelFiles.open(checkpoint)) {
            return loras(model, hash);
        }
    }

    private Lora lora(Path path, LoraTargets targets, boolean hash) {
        String name = LoraCatalog.stem(path);
        try (LoraFile file = LoraFile.open(path)) {
            String kinds = file.kinds().entrySet().stream()
                    .map(kind -> kind.getValue() + " " + kind.getKey().label())
                    .collect(Collectors.joining(", "));
            Map<String, String> metadata = file.metadata();
            return new Lora(
                    name,
                    path,
                    metadata.getOrDefault("ss_output_name", ""),
                    kinds,
                    LoraBase.of(file).orElse(""),
                    file.rank(),
                    Files.size(path),
                    hash ? hashes.lora(path) : null,
                    TriggerWords.of(metadata, MOST_WORDS),
                    targets == null ? null : targets.misfit(file).orElse(null));
        } catch (KilnException e) {
            return new Lora(name, path, "", "", "", 0, 0, null, List.of(), e.getMessage());
        } catch (IOException e) {
            return new Lora(name, path, "", "", "", 0, 0, null, List.of(), path + " cannot be read: " + e.getMessage());
        }
    }

    /** @param width of the text encoder that they are to fit; 0 for none in question */
    public List<Embedding> embeddings(int width, boolean hash) {
        return new EmbeddingCatalog(folders.embeddings()).list().stream().map(path -> embedding(path, width, hash)).toList();
    }

    /** As {@link #embeddings(int, boolean)} for the checkpoint. */
    public List<Embedding> embeddings(Path checkpoint, boolean hash) {
        try (ModelFiles model = ModelFiles.open(checkpoint)) {
            return embeddings(model.model().encoders().get(0).width(), hash);
        }
    }

    private Embedding embedding(Path path, int width, boolean hash) {
        try {
            EmbeddingFile file = EmbeddingFile.open(path);
            List<Integer> widths = file.parts().stream().map(EmbeddingFile.Part::width).toList();
            String misfit = width == 0 || file.part(width).isPresent()
                    ? null
                    : path + " is for text encoders of width " + widths.get(0) + ", and the model's has " + width;
            return new Embedding(file.name(), path, file.parts().get(0).vectors(), widths, hash ? hashes.embedding(path) : null, misfit);
        } catch (KilnException e) {
            return new Embedding(LoraCatalog.stem(path), path, 0, List.of(), null, e.getMessage());
        }
    }
}
