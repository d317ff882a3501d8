package kiln.runtime.exec;

import java.util.Set;
import java.util.function.DoubleConsumer;
import kiln.runtime.base.DeviceUse;
import kiln.runtime.base.Precision;
import kiln.runtime.graph.Graph;

/**
 * Something that runs graphs with one checkpoint's weights. Not for use from several threads at once. The creator closes it; compiled
 * graphs must be closed before.
 */
public interface Executor extends AutoCloseable {
    /** Name, number format and threads, for people: "oneDNN bf16, 2 threads". */
    String description();

    /** The number format that it computes in; never AUTO. */
    Precision precision();

    /** What of a device is in use; {@code null} for the CPU. */
    default DeviceUse deviceUse() {
        return null;
    }

    /** {@link #compile(String, Graph, DoubleConsumer)} for a network that stands alone. */
    default CompiledGraph compile(Graph graph) {
        return compile("network", graph, fraction -> {});
    }

    /**
     * Tells of a graph that will be compiled soon, so that a device's memory can be shared out among all of them at once. Nothing is
     * prepared yet.
     */
    default void announce(String network, Graph graph) {}

    /**
     * Prepares a graph: weights that it needs are converted once and kept for later graphs.
     *
     * @param network what the graph belongs to: graphs of one network use the same weights, and do not run at the same time as others
     * @param progress told the fraction done, 0 to 1; may throw to stop
     */
    CompiledGraph compile(String network, Graph graph, DoubleConsumer progress);

    /**
     * Reads weights anew whose source gives other values than before; none of its graphs runs meanwhile. Graphs stay compiled. When it fails,
     * some may be old and some new until it is called again with the same ones.
     *
     * @param tensors names as in {@link kiln.runtime.graph.Weight#names()}; those that no graph has asked for are passed over
     * @param progress told the fraction done, 0 to 1; may throw to stop
     */
    void reload(Set<String> tensors, DoubleConsumer progress);

    @Override
    void close();
}
