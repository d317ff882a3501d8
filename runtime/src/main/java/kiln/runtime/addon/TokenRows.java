package kiln.runtime.addon;

import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.IntStream;
import kiln.runtime.family.ModelSource;
import kiln.runtime.text.EmbeddingPlace;
import kiln.runtime.text.TokenChunk;

/**
 * Embeddings' vectors among a text encoder's tokens: they take the rows of tokens that the chunk at hand does not have, and the chunk names these,
 * so that graphs and executors know nothing of it. A row goes back when its own token is wanted. For one thread at a time.
 */
public final class TokenRows {
    /** So many rows at most are taken, of some fifty thousand. */
    private static final int MOST = 4096;

    private final ChangedWeights weights;
    private final String table;
    private final int vocabulary;
    private final int width;
    private final Map<String, Integer> first = new HashMap<>();
    private final Map<Integer, float[]> rows = new HashMap<>();

    /** @param table name of the tensor {@code [vocabulary, width]} */
    public TokenRows(ChangedWeights weights, String table) {
        this.weights = weights;
        this.table = table;
        vocabulary = weights.shape(table).get(0);
        width = weights.shape(table).get(1);
    }

    /**
     * A chunk as an encoder reads it.
     *
     * @param changed whether the table must be read anew before
     */
    public record Placed(float[] ids, boolean changed) {}

    /** The table's name. */
    public String table() {
        return table;
    }

    /** @param files by the names that chunks have */
    public Placed place(TokenChunk chunk, Function<String, EmbeddingFile> files) {
        int[] ids = chunk.ids().clone();
        Set<Integer> own = new HashSet<>();
        Arrays.stream(ids).forEach(own::add);
        boolean changed = rows.keySet().stream().anyMatch(own::contains) || rows.size() > MOST;
        if (changed) {
            first.clear();
            rows.clear();
        }
        for (EmbeddingPlace place : chunk.embeddings()) {
            EmbeddingFile file = files.apply(place.name());
            EmbeddingFile.Part part = file.part(width).orElseThrow();
            // A file that was replaced is another one.
            String key = ModelSource.identityOf(file.path());
            Integer row = first.get(key);
            if (row == null) {
                row = free(part.vectors(), own);
                put(row, file.read(part));
                first.put(key, row);
                changed = true;
            }
            for (int i = 0; i < place.vectors(); i++) {
                ids[place.position() + i] = row + i;
            }
        }
        if (changed) {
            weights.setRows(table, Map.copyOf(rows));
        }
        float[] placed = new float[ids.length];
        for (int i = 0; i < ids.length; i++) {
            placed[i] = ids[i];
        }
        return new Placed(placed, changed);
    }

    /** The last rows that neither the chunk nor other embeddings have. */
    private int free(int count, Set<Integer> own) {
        for (int from = vocabulary - count; from >= 0; from--) {
            int at = from;
            if (IntStream.range(0, count).noneMatch(i -> own.contains(at + i) || rows.containsKey(at + i))) {
                return at;
            }
        }
        throw new IllegalStateException("no " + count + " rows of " + vocabulary + " are free");
    }

    private void put(int row, float[] vectors) {
        for (int i = 0; i < vectors.length / width; i++) {
            rows.put(row + i, Arrays.copyOfRange(vectors, i * width, (i + 1) * width));
        }
    }
}
