package kiln.tui.view;

import java.util.List;
import java.util.Objects;
import kiln.runtime.job.GenerationRequest;

/**
 * What a model presets.
 *
 * @param defaults the values that fields begin with; its prompt is one that the model can draw, or empty
 * @param vocabulary words that completion offers
 * @param things how many of them name things that it can draw
 */
public record ModelFacts(GenerationRequest defaults, List<String> vocabulary, int things) {
    public ModelFacts {
        Objects.requireNonNull(defaults, "defaults");
        vocabulary = List.copyOf(vocabulary);
    }
}
