package kiln.runtime.engine;

import java.util.function.Consumer;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.NativeLoading;
import kiln.runtime.exec.Device;
import kiln.runtime.exec.Executor;
import kiln.runtime.exec.WeightSource;
import kiln.runtime.exec.onednn.OneDnn;
import kiln.runtime.exec.onednn.OneDnnExecutor;
import kiln.runtime.exec.reference.ReferenceExecutor;

/** The CPU: oneDNN where it loads, else plain Java. Holds nothing by itself. */
final class CpuDevice implements Device {
    private final EngineOptions options;

    CpuDevice(EngineOptions options) {
        this.options = options;
        NativeLoading.unpackInto(Devices.nativesFolder(options.cacheFolder()));
    }

    @Override
    public Executor executor(WeightSource weights, Consumer<String> notices) {
        if (options.executor().equals("reference")) {
            return new ReferenceExecutor(weights);
        }
        String problem = OneDnn.unavailableBecause();
        if (problem == null) {
            int threads = options.threads();
            if (threads > 0 && !Integer.toString(threads).equals(System.getenv("OMP_NUM_THREADS"))) {
                notices.accept("--threads " + threads + " has no effect: OpenMP has taken its number when Java began; start Kiln by its script"
                        + " or set OMP_NUM_THREADS");
            }
            return new OneDnnExecutor(weights, options.precision(), options.device().lowram());
        }
        if (options.executor().equals("onednn")) {
            throw new KilnException(KilnException.Category.DEVICE, problem + ": --executor reference works anywhere, slowly");
        }
        return new ReferenceExecutor(weights);
    }

    @Override
    public void close() {}
}
