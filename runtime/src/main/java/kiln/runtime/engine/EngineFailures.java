package kiln.runtime.engine;

import kiln.runtime.base.KilnException;
import kiln.runtime.base.KilnException.Category;
import kiln.runtime.family.ModelFiles;
import kiln.runtime.graph.ModelException;
import kiln.weights.WeightsException;

/** Turns what lower packages throw into a category and one line. */
public final class EngineFailures {
    private EngineFailures() {}

    public static KilnException of(Throwable e) {
        if (e instanceof KilnException known) {
            return known;
        }
        if (e instanceof WeightsException weights) {
            return ModelFiles.failure(weights);
        }
        if (e instanceof ModelException) {
            return new KilnException(Category.UNSUPPORTED_MODEL, e.getMessage(), e);
        }
        if (e instanceof OutOfMemoryError) {
            return new KilnException(Category.OUT_OF_MEMORY, "out of memory (" + e.getMessage() + "): try a smaller size or batch", e);
        }
        return new KilnException(Category.INTERNAL, "internal error: " + e, e);
    }
}
