package kiln.runtime.engine;

import java.util.List;
import java.util.Map;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.model.ModelDefaults;

/** What a checkpoint's own metadata presets for requests to it. Immutable. */
public final class ModelPresets {
    private final ModelDefaults defaults;

    ModelPresets(ModelDefaults defaults) {
        this.defaults = defaults;
    }

    /** A builder that starts from the model's presets instead of A1111's defaults. */
    public GenerationRequest.Builder builder() {
        return defaults.builder();
    }

    /** A builder that starts from {@code base}, with the model's presets in it where it has some. */
    public GenerationRequest.Builder builder(GenerationRequest base) {
        return defaults.addTo(base.toBuilder());
    }

    /** A prompt that this model can draw; empty when it names none. */
    public String firstPrompt() {
        return defaults.firstPrompt();
    }

    /** Words for completion by kind ("styles", "names", "colours"); empty for most models. */
    public Map<String, List<String>> vocabulary() {
        return defaults.vocabulary();
    }
}
