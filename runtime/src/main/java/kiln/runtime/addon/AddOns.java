package kiln.runtime.addon;

import java.nio.file.Path;
import java.util.List;
import kiln.runtime.base.KilnException;

/**
 * What can be added to a model: the files that prompts may name. Safe from any thread.
 *
 * @param loras files of LoRA and its relatives
 * @param embeddings textual inversions
 * @param hashes of the files
 */
public record AddOns(LoraCatalog loras, EmbeddingCatalog embeddings, AddOnHashes hashes) {
    /** Nothing. */
    public static final AddOns NONE = new AddOns(LoraCatalog.EMPTY, EmbeddingCatalog.EMPTY, new AddOnHashes());

    /** @throws KilnException NOT_FOUND when there is none of that name */
    public Path lora(String name) {
        return loras.find(name, hashes::lora);
    }

    /** @param loraFolders and {@code embeddingFolders}: searched with all below them; they need not exist */
    public static AddOns of(List<Path> loraFolders, List<Path> embeddingFolders) {
        return new AddOns(new LoraCatalog(loraFolders), new EmbeddingCatalog(embeddingFolders), new AddOnHashes());
    }
}
