package kiln.runtime.exec;

import java.util.function.Consumer;

/**
 * Something that computes, for as long as a process wants to: a card with its context and its loaded kernels, or the CPU. Weights come and go
 * on it. For one thread at a time. The creator closes it, after its executors.
 */
public interface Device extends AutoCloseable {
    /**
     * Puts a model's weights on it, as its graphs need them.
     *
     * @param notices told in one line what a person may want to know while the executor works
     * @throws kiln.runtime.base.KilnException DEVICE or OUT_OF_MEMORY when it cannot be used any more: it is of no use then and is to be closed
     */
    Executor executor(WeightSource weights, Consumer<String> notices);

    @Override
    void close();
}
