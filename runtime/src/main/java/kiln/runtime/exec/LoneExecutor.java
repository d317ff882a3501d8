package kiln.runtime.exec;

import java.util.Set;
import java.util.function.Consumer;
import java.util.function.DoubleConsumer;
import kiln.runtime.base.DeviceUse;
import kiln.runtime.base.Precision;
import kiln.runtime.graph.Graph;

/** An executor that has its device for itself: both are closed together. */
public record LoneExecutor(Device device, Executor executor) implements Executor {
    /** Takes the device over: it is closed here when it cannot hold the weights. */
    public static LoneExecutor open(Device device, WeightSource weights, Consumer<String> notices) {
        try {
            return new LoneExecutor(device, device.executor(weights, notices));
        } catch (RuntimeException | LinkageError e) {
            device.close();
            throw e;
        }
    }

    @Override
    public String description() {
        return executor.description();
    }

    @Override
    public Precision precision() {
        return executor.precision();
    }

    @Override
    public DeviceUse deviceUse() {
        return executor.deviceUse();
    }

    @Override
    public void announce(String network, Graph graph) {
        executor.announce(network, graph);
    }

    @Override
    public CompiledGraph compile(String network, Graph graph, DoubleConsumer progress) {
        return executor.compile(network, graph, progress);
    }

    @Override
    public void reload(Set<String> tensors, DoubleConsumer progress) {
        executor.reload(tensors, progress);
    }

    @Override
    public void close() {
        try (device; executor) {
            // The device last.
        }
    }
}
