package kiln.runtime.exec;

import java.util.Set;
import java.util.function.DoubleConsumer;
import kiln.runtime.base.DeviceUse;
import kiln.runtime.base.Precision;
import kiln.runtime.graph.Graph;

/** Two executors for one checkpoint: some networks go to the second, all others to the first. Closes both. */
public final class RoutedExecutor implements Executor {
    private final Executor first;
    private final Executor second;
    private final Set<String> networksOfSecond;

    public RoutedExecutor(Executor first, Executor second, Set<String> networksOfSecond) {
        this.first = first;
        this.second = second;
        this.networksOfSecond = Set.copyOf(networksOfSecond);
    }

    private Executor of(String network) {
        return networksOfSecond.contains(network) ? second : first;
    }

    @Override
    public String description() {
        return first.description() + ", " + second.description();
    }

    /** The first's. */
    @Override
    public Precision precision() {
        return first.precision();
    }

    @Override
    public DeviceUse deviceUse() {
        return first.deviceUse();
    }

    @Override
    public void announce(String network, Graph graph) {
        of(network).announce(network, graph);
    }

    @Override
    public CompiledGraph compile(String network, Graph graph, DoubleConsumer progress) {
        return of(network).compile(network, graph, progress);
    }

    @Override
    public void reload(Set<String> tensors, DoubleConsumer progress) {
        first.reload(tensors, fraction -> progress.accept(fraction / 2));
        second.reload(tensors, fraction -> progress.accept((1 + fraction) / 2));
    }

    @Override
    public void close() {
        try (first; second) {
            // Both are closed even when one of them cannot.
        }
    }
}
