package kiln.runtime.engine;

import java.nio.file.Path;
import java.util.List;

/**
 * Where files lie that prompts may add to a model; the folders need not exist.
 *
 * @param loras of LoRA and its relatives: A1111's {@code models/Lora}, {@code models/LyCORIS}
 * @param embeddings of textual inversions: A1111's {@code embeddings}
 */
public record AddOnFolders(List<Path> loras, List<Path> embeddings) {
    public static final AddOnFolders NONE = new AddOnFolders(List.of(), List.of());

    public AddOnFolders {
        loras = List.copyOf(loras);
        embeddings = List.copyOf(embeddings);
    }
}
