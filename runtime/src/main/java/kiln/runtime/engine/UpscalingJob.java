package kiln.runtime.engine;

import java.nio.file.Path;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.DoubleConsumer;
import kiln.runtime.base.KilnException;
import kiln.runtime.exec.Device;
import kiln.runtime.job.UpscaleRequest;

/** Makes picture files larger on a device of its own, opened when something has to be computed. For one thread. The creator closes it. */
public final class UpscalingJob implements AutoCloseable {
    private final Upscaling upscaling;
    private final UpscaleRequest request;
    private final String upscaler;
    private final BooleanSupplier cancelled;
    private Device device;
    private String description = "";

    /**
     * @param notices told in one line what a person may want to know
     * @throws KilnException NOT_FOUND when there is no such upscaler
     */
    public UpscalingJob(
            EngineOptions options, UpscaleRequest request, BooleanSupplier cancelled, Consumer<String> notices) {
        Upscalers upscalers = new Upscalers(options.models().upscalerFolders());
        this.request = request;
        this.cancelled = cancelled;
        upscaler = upscalers.find(request.upscaler()).name();
        upscaling = new Upscaling(
                upscalers,
                () -> {
                    if (device == null) {
                        device = Devices.open(options, notices);
                    }
                    return device;
                },
                notices);
    }

    /** Its name as A1111 lists it. */
    public String upscaler() {
        return upscaler;
    }

    /** What computes, for people; empty while nothing had to. */
    public String device() {
        return description;
    }

    /** As {@link Upscaling#upscale(UpscaleRequest, Path, Path, boolean, DoubleConsumer)}; CANCELLED when that is wished meanwhile. */
    public Path run(Path source, Path target, boolean replace, DoubleConsumer progress) {
        try {
            Path file = upscaling.upscale(request, source, target, replace, fraction -> {
                if (cancelled.getAsBoolean()) {
                    throw KilnException.cancelled();
                }
                progress.accept(fraction);
            });
            description = upscaling.device();
            return file;
        } catch (RuntimeException | LinkageError | OutOfMemoryError e) {
            throw EngineFailures.of(e);
        }
    }

    @Override
    public void close() {
        upscaling.close();
        if (device != null) {
            device.close();
            device = null;
        }
    }
}
