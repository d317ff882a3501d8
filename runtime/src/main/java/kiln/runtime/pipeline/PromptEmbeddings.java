package kiln.runtime.pipeline;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import kiln.runtime.addon.ChangedWeights;
import kiln.runtime.addon.EmbeddingCatalog;
import kiln.runtime.addon.EmbeddingFile;
import kiln.runtime.addon.TokenRows;
import kiln.runtime.graph.Node;
import kiln.runtime.graph.Op;
import kiln.runtime.model.Model;
import kiln.runtime.model.NetworkShape;
import kiln.runtime.model.TextEncoder;
import kiln.runtime.text.ClipTokenizer;
import kiln.runtime.text.EmbeddingVocabulary;
import kiln.runtime.text.TokenChunk;

/** The textual inversions that prompts of one model may name, and their vectors in its text encoders. For one thread at a time. */
final class PromptEmbeddings {
    private final EmbeddingCatalog catalog;
    private final Model model;
    private final ChangedWeights weights;
    private final Map<String, TokenRows> rows = new HashMap<>();
    private Map<String, EmbeddingFile> files = Map.of();
    private final Map<String, EmbeddingFile> used = new TreeMap<>();

    PromptEmbeddings(EmbeddingCatalog catalog, Model model, ChangedWeights weights) {
        this.catalog = catalog;
        this.model = model;
        this.weights = weights;
    }

    /** Looks into the folders anew: what each name stands for. */
    EmbeddingVocabulary vocabulary() {
        used.clear();
        List<TextEncoder> encoders = model.encoders();
        files = catalog.fitting(encoders.get(0).width());
        // Of models with several encoders a file needs a part for each.
        files.values().removeIf(file -> encoders.stream().anyMatch(encoder -> file.part(encoder.width()).isEmpty()));
        if (files.isEmpty()) {
            return EmbeddingVocabulary.EMPTY;
        }
        Map<String, Integer> vectors = new HashMap<>();
        files.forEach((name, file) -> vectors.put(name, file.part(encoders.get(0).width()).orElseThrow().vectors()));
        return EmbeddingVocabulary.of(ClipTokenizer.load(), vectors);
    }

    /** Those whose vectors were read since {@link #vocabulary()}, by name. */
    Map<String, EmbeddingFile> used() {
        return used;
    }

    /**
     * A chunk's ids for an encoder.
     *
     * @param reload told of a table that must be read anew before they are of use
     */
    float[] ids(NetworkShape encoder, TokenChunk chunk, Consumer<String> reload) {
        TokenRows table = rows.computeIfAbsent(encoder.network(), network -> new TokenRows(weights, table(encoder)));
        TokenRows.Placed placed = table.place(chunk, files::get);
        chunk.embeddings().forEach(place -> used.put(place.name(), files.get(place.name())));
        if (placed.changed()) {
            reload.accept(table.table());
        }
        return placed.ids();
    }

    private String table(NetworkShape encoder) {
        return model.graph(encoder).nodes().stream()
                .filter(node -> node.op() instanceof Op.Embedding)
                .map(Node::weights)
                .findFirst()
                .orElseThrow()
                .get(0)
                .names()
                .get(0);
    }
}
