package kiln.runtime.addon;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import kiln.runtime.base.KilnException;
import kiln.runtime.family.ModelSource;

/** Textual inversions in folders. Every call looks anew; a file's index is read again when it has changed. Safe from any thread. */
public final class EmbeddingCatalog {
    /** No folder. */
    public static final EmbeddingCatalog EMPTY = new EmbeddingCatalog(List.of());

    private static final List<String> ENDINGS = List.of(".safetensors", ".pt", ".bin");

    private final List<Path> folders;
    private final Map<String, Optional<EmbeddingFile>> known = new HashMap<>();

    /** @param folders searched with all below them; they need not exist */
    public EmbeddingCatalog(List<Path> folders) {
        this.folders = List.copyOf(folders);
    }

    /** All files that may be one, by name. */
    public List<Path> list() {
        return LoraCatalog.files(folders, ENDINGS);
    }

    /** Those for encoders of this width, by the word that prompts use; of two with one name the later wins. */
    public Map<String, EmbeddingFile> fitting(int width) {
        Map<String, EmbeddingFile> fitting = new LinkedHashMap<>();
        for (Path path : list()) {
            opened(path).filter(file -> file.part(width).isPresent()).ifPresent(file -> fitting.put(file.name(), file));
        }
        return fitting;
    }

    /** Empty for a file that is none: {@code kiln embeddings} says why, and its name stays a word. */
    private synchronized Optional<EmbeddingFile> opened(Path path) {
        return known.computeIfAbsent(ModelSource.identityOf(path), key -> {
            try {
                return Optional.of(EmbeddingFile.open(path));
            } catch (KilnException e) {
                return Optional.empty();
            }
        });
    }
}
