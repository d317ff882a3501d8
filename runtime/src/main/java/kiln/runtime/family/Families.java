package kiln.runtime.family;

import java.util.List;
import java.util.stream.Collectors;
import kiln.runtime.family.sd1.StableDiffusion1;
import kiln.runtime.model.ModelFamily;
import kiln.weights.CheckpointKind;

/** The families that can draw. One more is a package beside {@code sd1} and a line here. */
public final class Families {
    public static final List<ModelFamily> ALL = List.of(StableDiffusion1.FAMILY);

    private Families() {}

    /** The family of such files; the first for files of no known kind, whose own words say what they lack. */
    static ModelFamily of(CheckpointKind kind, List<ModelFamily> families) {
        return families.stream().filter(family -> family.kinds().contains(kind)).findFirst().orElse(families.get(0));
    }

    /** For people. */
    static String names() {
        return ALL.stream().map(ModelFamily::name).collect(Collectors.joining(", "));
    }
}
