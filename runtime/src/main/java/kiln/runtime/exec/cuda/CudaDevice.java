package kiln.runtime.exec.cuda;

import java.util.function.Consumer;
import java.util.function.Function;
import kiln.kernels.CudaContext;
import kiln.kernels.CudaContext.PinnedMemory;
import kiln.kernels.CudaContext.Stream;
import kiln.kernels.CudaException;
import kiln.kernels.op.Card;
import kiln.runtime.base.KilnException;
import kiln.runtime.exec.Device;
import kiln.runtime.exec.Executor;
import kiln.runtime.exec.WeightSource;
import kiln.runtime.exec.cuda.library.DeviceLibraries;
import kiln.runtime.exec.cuda.run.KernelModules;

/**
 * A card and what outlives a model on it: the context, kernels that the driver has translated, streams, NVIDIA's libraries, pinned memory for
 * inputs and outputs. For one thread at a time.
 */
public final class CudaDevice implements Device {
    private final CudaContext context;
    private final DeviceLibraries libraries;
    private final Function<CudaContext, CudaSettings> settings;
    private final Card card;
    private final KernelModules modules;
    private final Stream compute;
    private final Stream copy;
    private PinnedMemory transfer;
    private boolean closed;

    /**
     * @param context with {@code libraries}, which are this context's, closed here, also when this constructor fails
     * @param settings asked anew for each model: what is free on the card changes
     * @throws KilnException DEVICE or OUT_OF_MEMORY when the card cannot be used
     */
    public CudaDevice(CudaContext context, DeviceLibraries libraries, Function<CudaContext, CudaSettings> settings) {
        this.context = context;
        this.libraries = libraries;
        this.settings = settings;
        try {
            card = Card.of(context);
            modules = new KernelModules(context);
            compute = context.createStream();
            copy = context.createStream();
        } catch (CudaException e) {
            close(context, libraries);
            throw CudaExecutor.failure(e);
        }
    }

    private static void close(CudaContext context, DeviceLibraries libraries) {
        try (context; libraries) {
            // The libraries first; the context takes with it whatever they hold.
        } catch (CudaException e) {
            // What made the constructor fail is told.
        }
    }

    @Override
    public Executor executor(WeightSource weights, Consumer<String> notices) {
        requireOpen();
        try {
            return new CudaExecutor(this, weights, settings.apply(context), notices);
        } catch (CudaException e) {
            throw CudaExecutor.failure(e);
        }
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the card is closed");
        }
    }

    CudaContext context() {
        return context;
    }

    DeviceLibraries libraries() {
        return libraries;
    }

    Card card() {
        return card;
    }

    KernelModules modules() {
        return modules;
    }

    /** What kernels are queued in. */
    Stream compute() {
        return compute;
    }

    /** What copies beside them are queued in. */
    Stream copy() {
        return copy;
    }

    /** Memory for inputs and outputs of at least so many bytes, the same at each call until more are wanted. */
    PinnedMemory transfer(long bytes) {
        if (transfer == null || transfer.bytes().capacity() < bytes) {
            if (transfer != null) {
                context.free(transfer);
                transfer = null;
            }
            transfer = context.allocatePinned(bytes, "inputs and outputs");
        }
        return transfer;
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        // The context takes with it whatever cannot be given back one by one after a fault.
        try (context) {
            modules.close();
            libraries.close();
            context.destroy(copy);
            context.destroy(compute);
            if (transfer != null) {
                context.free(transfer);
            }
        } catch (CudaException e) {
            // Its models' executors have told; what is left goes with the process at the latest.
            transfer = null;
        }
    }
}
