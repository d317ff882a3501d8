package kiln.runtime.engine;

import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import kiln.runtime.base.DeviceUse;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.KilnException.Category;
import kiln.runtime.exec.Device;
import kiln.runtime.image.Picture;
import kiln.runtime.job.GenerationEvent;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.job.InfoText;
import kiln.runtime.job.JobHistory;
import kiln.runtime.job.JobRecord;
import kiln.runtime.job.Setting;
import kiln.runtime.store.PictureFiles;
import kiln.runtime.store.PictureStore;
import kiln.weights.ModelHashes;

/**
 * Takes requests and hands them to the worker of its device, one after another on a thread of their own.
 *
 * <p>Methods may be called from any thread. The creator closes it; closing cancels what runs and waits for it to stop.
 */
public final class Engine implements AutoCloseable {
    /** A1111 draws random seeds from 0 to this, exclusive. */
    private static final long SEEDS = 4_294_967_294L;

    /** Opens what computes. */
    @FunctionalInterface
    public interface DeviceOpener {
        /** @param notices told in one line what a person may want to know while it is opened */
        Device open(EngineOptions options, Consumer<String> notices);
    }

    private final EngineOptions options;
    private final Models models;
    private final ModelHashes hashes;
    private final Worker worker;
    private final ThreadPoolExecutor thread;
    private final JobHistory history = new JobHistory();
    private final AtomicLong lastId = new AtomicLong();
    private final AtomicInteger waiting = new AtomicInteger();
    private volatile GenerationJob running;
    private volatile boolean closing;

    public Engine(EngineOptions options) {
        this(options, Devices::open);
    }

    public Engine(EngineOptions options, DeviceOpener opener) {
        this.options = options;
        worker = new Worker(options, opener);
        models = new Models(options);
        hashes = new ModelHashes(options.cacheFolder(), options.models().hashes());
        thread = new ThreadPoolExecutor(1, 1, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
            Thread started = new Thread(task, "kiln-engine");
            started.setDaemon(true);
            return started;
        });
    }

    public EngineOptions options() {
        return options;
    }

    /** All jobs since the engine was made, as far as they are remembered, newest first. */
    public List<JobRecord> jobs() {
        return history.jobs();
    }

    /** Jobs that wait or run. */
    public int queueLength() {
        return waiting.get();
    }

    /** What computes, for people; empty until a model has been loaded. */
    public String device() {
        return worker.description();
    }

    /** The card at the end of the last step; {@code null} while the model is on none. */
    public DeviceUse deviceUse() {
        return worker.deviceUse();
    }

    /** The checkpoints that the options name. */
    public Models models() {
        return models;
    }

    /**
     * Queues a request. {@code listener} is called on the engine's thread; the last event also completes the job.
     *
     * @throws IllegalStateException when the engine is closed
     */
    public GenerationJob submit(GenerationRequest request, Consumer<GenerationEvent> listener) {
        if (thread.isShutdown()) {
            throw new IllegalStateException("the engine is closed");
        }
        GenerationJob job = new GenerationJob(lastId.incrementAndGet(), request);
        history.add(JobRecord.queued(job.id(), request));
        waiting.incrementAndGet();
        thread.execute(() -> run(job, event -> {
            history.accept(job.id(), event);
            listener.accept(event);
        }));
        return job;
    }

    private void run(GenerationJob job, Consumer<GenerationEvent> listener) {
        running = job;
        GenerationEvent last;
        long begin = System.nanoTime();
        try {
            if (job.isCancelled() || closing) {
                throw KilnException.cancelled();
            }
            draw(job, listener);
            last = new GenerationEvent.Finished((System.nanoTime() - begin) / 1e9);
        } catch (KilnException e) {
            last = e.category() == Category.CANCELLED ? new GenerationEvent.Cancelled() : GenerationEvent.Failed.of(e);
        }
        running = null;
        waiting.decrementAndGet();
        try {
            listener.accept(last);
        } finally {
            job.complete(last);
        }
    }

    private void draw(GenerationJob job, Consumer<GenerationEvent> listener) {
        GenerationRequest asked = job.request();
        Path checkpoint = asked.model() == null ? models.defaultModel() : asked.model();
        GenerationRequest request =
                asked.toBuilder().model(checkpoint).build().seeded(() -> ThreadLocalRandom.current().nextLong(SEEDS));
        Vaes.Choice vae = models.vaes().choose(checkpoint, request.settings().text(Setting.VAE));
        if (vae.notice() != null) {
            listener.accept(new GenerationEvent.Notice(vae.notice()));
        }
        PictureStore store = new PictureStore(
                request, vae.path(), options.outputFolder(), options.saving(), hashes,
                text -> listener.accept(new GenerationEvent.Notice(text)));
        worker.draw(request, models.source(checkpoint, vae.path()), store, job::isCancelled, listener);
        store.saveGrid().ifPresent(file -> listener.accept(new GenerationEvent.GridDone(file)));
    }

    /**
     * Saves a grid that a caller has made of jobs' pictures, into the folder of grids.
     *
     * @param name of the file, before its number: "xyz_grid"
     * @return where it lies; {@code null} when this engine saves nothing
     * @throws KilnException {@code STORAGE} when it cannot be written
     */
    public Path saveGrid(String name, Picture grid, InfoText text) {
        if (options.outputFolder() == null) {
            return null;
        }
        Path folder = PictureFiles.gridFolder(options.outputFolder());
        return new PictureFiles(folder, options.saving(), Clock.systemDefaultZone()).saveGrid(name, grid, text);
    }

    @Override
    public void close() {
        if (thread.isShutdown()) {
            return;
        }
        // Jobs that still wait end as cancelled when their turn comes.
        closing = true;
        thread.execute(worker::close);
        thread.shutdown();
        GenerationJob job = running;
        if (job != null) {
            job.cancel();
        }
        try {
            thread.awaitTermination(1, TimeUnit.MINUTES);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
