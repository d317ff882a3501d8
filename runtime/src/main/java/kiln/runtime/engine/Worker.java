package kiln.runtime.engine;

import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import kiln.runtime.addon.AddOns;
import kiln.runtime.base.DeviceUse;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.KilnException.Category;
import kiln.runtime.exec.Device;
import kiln.runtime.family.ModelFiles;
import kiln.runtime.family.ModelSource;
import kiln.runtime.graph.ModelException;
import kiln.runtime.job.GenerationEvent;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.job.PictureSink;
import kiln.runtime.job.Tiling;
import kiln.runtime.pipeline.ModelSession;
import kiln.runtime.pipeline.Drawing;
import kiln.runtime.pipeline.PictureUpscaler;

/**
 * Draws on one device, one request after another. The device stays open between them, and so does the model, until a request wants another one
 * or its files have changed. For one thread at a time; the creator closes it.
 */
final class Worker implements AutoCloseable {
    private final EngineOptions options;
    private final Engine.DeviceOpener opener;
    private Device device;
    private ModelSession session;
    private final Upscaling upscaling;
    private Consumer<String> notices = text -> {};
    private volatile String description = "";
    private volatile DeviceUse deviceUse;

    Worker(EngineOptions options, Engine.DeviceOpener opener) {
        this.options = options;
        this.opener = opener;
        upscaling = new Upscaling(new Upscalers(options.models().upscalerFolders()), this::device, this::tell);
    }

    /** What computes, for people; empty until a model has been loaded. From any thread. */
    String description() {
        return description;
    }

    /** The card at the end of the last step; {@code null} while no model is on one. From any thread. */
    DeviceUse deviceUse() {
        return deviceUse;
    }

    /**
     * Draws a request's pictures.
     *
     * @param request with its model and its seed
     * @param source what is opened for the request's model
     * @throws KilnException also for what goes wrong inside: a failure of the device closes it, so that the next request opens it anew
     */
    void draw(GenerationRequest request, ModelSource source, PictureSink sink, BooleanSupplier cancelled, Consumer<GenerationEvent> listener) {
        notices = text -> listener.accept(new GenerationEvent.Notice(text));
        try {
            load(source, listener);
            listener.accept(new GenerationEvent.Started(request));
            look(listener);
            new Drawing(session, request, name -> upscaler(name, cancelled), sink, cancelled, event -> {
                listener.accept(event);
                if (event instanceof GenerationEvent.Preview || event instanceof GenerationEvent.PictureDone) {
                    look(listener);
                }
            }).run();
        } catch (KilnException e) {
            if (e.category() == Category.DEVICE) {
                // A card that failed once fails until it is opened anew.
                close();
            }
            throw e;
        } catch (ModelException e) {
            throw EngineFailures.of(e);
        } catch (RuntimeException | LinkageError | OutOfMemoryError e) {
            close();
            throw EngineFailures.of(e);
        }
    }

    private void load(ModelSource source, Consumer<GenerationEvent> listener) {
        String key = source.key();
        if (session != null && session.files().key().equals(key)) {
            return;
        }
        listener.accept(new GenerationEvent.Loading("reading " + source.checkpoint().getFileName(), 0));
        unload();
        ModelFiles files = ModelFiles.open(source);
        files.notes().forEach(this::tell);
        session = new ModelSession(files, opened -> {
            return device().executor(opened, this::tell);
        }, AddOns.of(options.addOns().loras(), options.addOns().embeddings()));
        description = session.device();
    }

    private Device device() {
        if (device == null) {
            device = opener.open(options, this::tell);
        }
        return device;
    }

    private PictureUpscaler upscaler(String name, BooleanSupplier cancelled) {
        upscaling.check(name);
        return (picture, width, height) -> upscaling.resize(name, Tiling.DEFAULT, picture, width, height, fraction -> {
            if (cancelled.getAsBoolean()) {
                throw KilnException.cancelled();
            }
        });
    }

    /** To whoever listens to the request of the moment. */
    private void tell(String text) {
        notices.accept(text);
    }

    /** Looks at the card where the job has just waited for it. */
    private void look(Consumer<GenerationEvent> listener) {
        deviceUse = session.deviceUse();
        if (deviceUse != null) {
            listener.accept(new GenerationEvent.Device(deviceUse));
        }
    }

    private void unload() {
        if (session != null) {
            session.close();
            session = null;
            deviceUse = null;
        }
    }

    /** Not for good: the next request opens the device anew. */
    @Override
    public void close() {
        unload();
        upscaling.close();
        if (device != null) {
            device.close();
            device = null;
        }
    }
}
