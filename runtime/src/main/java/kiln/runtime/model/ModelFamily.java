package kiln.runtime.model;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import kiln.weights.CheckpointKind;
import kiln.weights.TensorInfo;

/**
 * Models that are alike, as data: which files are theirs, what the files call their tensors, and how the networks follow from the shapes.
 *
 * @param name for people: "SD 1.x"
 * @param kinds of the files that hold such a model
 * @param names from a file's tensors to names of the original code, whatever the file calls them. Files that hold a part only are given as well
 * @param writer from the shape of a tensor by its original name ({@code null} where there is none) to the model; throws
 *     {@link kiln.runtime.graph.ModelException} when a part is missing
 * @param modules from the model's tensors, by their original names, to the modules that files added to it name: from such a name, every sign but
 *     letters and digits as {@code _}, to the module's name in the original code, which its tensors' names begin with
 */
public record ModelFamily(
        String name,
        Set<CheckpointKind> kinds,
        Function<Collection<TensorInfo>, Map<String, TensorRows>> names,
        Function<Function<String, List<Integer>>, Model> writer,
        Function<Collection<String>, Map<String, String>> modules) {
    public ModelFamily {
        Objects.requireNonNull(name, "name");
        kinds = Set.copyOf(kinds);
        Objects.requireNonNull(names, "names");
        Objects.requireNonNull(writer, "writer");
        Objects.requireNonNull(modules, "modules");
    }
}
