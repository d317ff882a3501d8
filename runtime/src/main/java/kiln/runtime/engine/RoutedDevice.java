package kiln.runtime.engine;

import java.util.Set;
import java.util.function.Consumer;
import kiln.runtime.exec.Device;
import kiln.runtime.exec.Executor;
import kiln.runtime.exec.RoutedExecutor;
import kiln.runtime.exec.WeightSource;

/** Two devices for one model: some networks are computed by the second, all others by the first. Closes both. */
record RoutedDevice(Device first, Device second, Set<String> networksOfSecond) implements Device {
    @Override
    public Executor executor(WeightSource weights, Consumer<String> notices) {
        Executor executor = first.executor(weights, notices);
        try {
            return new RoutedExecutor(executor, second.executor(weights, notices), networksOfSecond);
        } catch (RuntimeException | LinkageError e) {
            executor.close();
            throw e;
        }
    }

    @Override
    public void close() {
        try (first; second) {
            // Both are closed even when one of them cannot.
        }
    }
}
