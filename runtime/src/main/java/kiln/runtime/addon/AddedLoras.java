package kiln.runtime.addon;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import kiln.runtime.family.ModelSource;

/**
 * The files that are added to one model at the moment. Weights change in place, in two steps: {@link #choose} says which are to be read anew, and
 * {@link #reloaded} that they were. For one thread at a time. The creator closes it, which closes the files.
 */
public final class AddedLoras implements AutoCloseable {
    private final LoraTargets targets;
    private final ChangedWeights weights;
    private final Set<String> stale = new HashSet<>();
    private Map<String, LoraFile> files = new HashMap<>();

    /** @param weights of the same model */
    public AddedLoras(LoraTargets targets, ChangedWeights weights) {
        this.targets = targets;
        this.weights = weights;
    }

    /** A file and how much of it. */
    public record Choice(Path file, LoraUse use) {}

    /**
     * From now on these and no others are added, in this order.
     *
     * @param notices told in a line what of a file is left out
     * @return the tensors that must be read anew
     * @throws kiln.runtime.base.KilnException when a file cannot be read or is none for this model; everything stays as it was
     */
    public Set<String> choose(List<Choice> choices, Consumer<String> notices) {
        Map<String, LoraFile> next = new LinkedHashMap<>();
        Map<String, List<WeightChange>> changes = new HashMap<>();
        try {
            for (Choice choice : choices) {
                LoraFile file = next.computeIfAbsent(ModelSource.identityOf(choice.file()), key -> opened(key, choice.file()));
                LoraTargets.Placed placed = targets.place(file, choice.use());
                placed.changes().forEach((tensor, change) -> changes.computeIfAbsent(tensor, name -> new ArrayList<>()).add(change));
                if (!files.containsKey(file.key()) && !placed.strangers().isEmpty()) {
                    notices.accept(placed.notice(file));
                }
            }
        } catch (RuntimeException e) {
            closeAllBut(next, files);
            throw e;
        }
        closeAllBut(files, next);
        files = next;
        stale.addAll(weights.set(changes));
        return Set.copyOf(stale);
    }

    private LoraFile opened(String key, Path file) {
        LoraFile open = files.get(key);
        return open == null ? LoraFile.open(file) : open;
    }

    private static void closeAllBut(Map<String, LoraFile> files, Map<String, LoraFile> kept) {
        files.forEach((key, file) -> {
            if (!kept.containsKey(key)) {
                file.close();
            }
        });
    }

    /** The files that are added at the moment. */
    public List<Path> files() {
        return files.values().stream().map(LoraFile::path).toList();
    }

    /** What {@link #choose} asked for was done. */
    public void reloaded() {
        stale.clear();
        weights.release();
    }

    @Override
    public void close() {
        files.values().forEach(LoraFile::close);
        files = new HashMap<>();
    }
}
