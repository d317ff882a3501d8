package kiln.runtime.exec.cuda.run;

import java.util.HashMap;
import java.util.Map;
import kiln.kernels.CudaContext;
import kiln.kernels.CudaContext.LoadedKernel;
import kiln.kernels.Kernel;

/** Kernels that the driver has translated, each once. */
public final class KernelModules implements AutoCloseable {
    private final CudaContext context;
    private final Map<Kernel, LoadedKernel> loaded = new HashMap<>();

    public KernelModules(CudaContext context) {
        this.context = context;
    }

    public LoadedKernel get(Kernel kernel) {
        LoadedKernel found = loaded.get(kernel);
        if (found == null) {
            found = context.load(kernel);
            loaded.put(kernel, found);
        }
        return found;
    }

    @Override
    public void close() {
        loaded.values().forEach(context::unload);
        loaded.clear();
    }
}
