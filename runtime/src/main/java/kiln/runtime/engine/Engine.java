package kiln.runtime.engine;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import kiln.runtime.base.DeviceUse;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.KilnException.Category;
import kiln.runtime.exec.Executor;
import kiln.runtime.exec.WeightSource;
import kiln.runtime.graph.ModelException;
import kiln.runtime.job.GenerationEvent;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.model.CheckpointFile;
import kiln.runtime.model.ModelDefaults;
import kiln.runtime.pipeline.LoadedModel;
import kiln.runtime.pipeline.TextToImage;
import kiln.runtime.store.PictureStore;
import kiln.weights.ModelCatalog;
import kiln.weights.ModelHashes;
import kiln.weights.WeightsException;
import kiln.weights.WeightsFile;

/**
 * Takes requests, runs them one after another on its own thread, and keeps the model in memory between them.
 *
 * <p>Methods may be called from any thread. The creator closes it; closing cancels what runs and waits for it to stop.
 */
public final class Engine implements AutoCloseable {
    /** A1111 draws random seeds from 0 to this, exclusive. */
    private static final long SEEDS = 4_294_967_294L;

    /** Makes the executor that a model is computed with. */
    public interface ExecutorFactory {
        /** @param notices told in one line what a person may want to know while the executor works */
        Executor create(EngineOptions options, WeightSource weights, Consumer<String> notices);
    }

    private final EngineOptions options;
    private final ExecutorFactory executors;
    private final ModelHashes hashes;
    private final ThreadPoolExecutor worker;
    private final AtomicInteger waiting = new AtomicInteger();
    private volatile GenerationJob running;
    private volatile String device = "";
    private volatile DeviceUse deviceUse;
    private volatile Consumer<GenerationEvent> listening = event -> {};
    private volatile boolean closing;
    private LoadedModel model;

    public Engine(EngineOptions options) {
        this(options, Executors::create);
    }

    public Engine(EngineOptions options, ExecutorFactory executors) {
        this.options = options;
        this.executors = executors;
        hashes = new ModelHashes(options.cacheFolder());
        worker = new ThreadPoolExecutor(1, 1, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
            Thread thread = new Thread(task, "kiln-engine");
            thread.setDaemon(true);
            return thread;
        });
    }

    public EngineOptions options() {
        return options;
    }

    /** Jobs that wait or run. */
    public int queueLength() {
        return waiting.get();
    }

    /** What computes, for people; empty until a model has been loaded. */
    public String device() {
        return device;
    }

    /** The card at the end of the last step; {@code null} while the model is on none. */
    public DeviceUse deviceUse() {
        return deviceUse;
    }

    /** The checkpoints that the options name: what is named, what the folders hold, and the demo model. */
    public ModelCatalog models() {
        List<Path> places = new ArrayList<>(options.modelFiles());
        options.modelFolders().stream().filter(Files::isDirectory).forEach(places::add);
        if (options.demoModel() != null && Files.isRegularFile(options.demoModel())) {
            places.add(options.demoModel());
        }
        return ModelCatalog.scan(places, hashes);
    }

    /**
     * The model of requests that name none: the first of {@link #models()}, the demo model only when there is no other.
     *
     * @throws KilnException NOT_FOUND when there is none
     */
    public Path defaultModel() {
        if (!options.modelFiles().isEmpty()) {
            return options.modelFiles().get(0);
        }
        List<ModelCatalog.Model> models = models().models();
        return models.stream()
                .filter(model -> !isDemo(model.path()))
                .findFirst()
                .or(() -> models.stream().findFirst())
                .map(ModelCatalog.Model::path)
                .orElseThrow(() -> new KilnException(
                        Category.NOT_FOUND,
                        "no model found in " + options.modelFolders() + ": put a .safetensors or .ckpt file there, or name one with --ckpt"));
    }

    /** Whether this is the bundled model. */
    public boolean isDemo(Path checkpoint) {
        return options.demoModel() != null && options.demoModel().toAbsolutePath().equals(checkpoint.toAbsolutePath());
    }

    /** What a checkpoint's metadata presets; reads its header only. */
    public static ModelDefaults defaultsOf(Path checkpoint) {
        try (WeightsFile file = WeightsFile.open(checkpoint)) {
            return ModelDefaults.of(file.metadata());
        } catch (WeightsException e) {
            throw CheckpointFile.failure(e);
        }
    }

    /**
     * Queues a request. {@code listener} is called on the engine's thread; the last event also completes the job.
     *
     * @throws IllegalStateException when the engine is closed
     */
    public GenerationJob submit(GenerationRequest request, Consumer<GenerationEvent> listener) {
        if (worker.isShutdown()) {
            throw new IllegalStateException("the engine is closed");
        }
        GenerationJob job = new GenerationJob(request);
        waiting.incrementAndGet();
        worker.execute(() -> run(job, listener));
        return job;
    }

    private void run(GenerationJob job, Consumer<GenerationEvent> listener) {
        running = job;
        listening = listener;
        GenerationEvent last;
        long begin = System.nanoTime();
        try {
            if (job.isCancelled() || closing) {
                throw KilnException.cancelled();
            }
            draw(job, listener);
            last = new GenerationEvent.Finished((System.nanoTime() - begin) / 1e9);
        } catch (KilnException e) {
            if (e.category() == Category.DEVICE) {
                // A card that failed once fails until it is opened anew.
                unload();
            }
            last = e.category() == Category.CANCELLED ? new GenerationEvent.Cancelled() : new GenerationEvent.Failed(e);
        } catch (ModelException e) {
            last = new GenerationEvent.Failed(new KilnException(Category.UNSUPPORTED_MODEL, e.getMessage(), e));
        } catch (OutOfMemoryError e) {
            unload();
            last = new GenerationEvent.Failed(new KilnException(
                    Category.OUT_OF_MEMORY, "out of memory (" + e.getMessage() + "): try a smaller size or batch", e));
        } catch (RuntimeException | LinkageError e) {
            unload();
            last = new GenerationEvent.Failed(new KilnException(Category.INTERNAL, "internal error: " + e, e));
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
        Path checkpoint = asked.model() == null ? defaultModel() : asked.model();
        long seed = asked.seed() >= 0 ? asked.seed() : ThreadLocalRandom.current().nextLong(SEEDS);
        GenerationRequest request = asked.toBuilder().model(checkpoint).seed(seed).build();
        if (model == null || !model.file().path().equals(checkpoint)) {
            listener.accept(new GenerationEvent.Loading("reading " + checkpoint.getFileName(), 0));
            unload();
            model = new LoadedModel(CheckpointFile.open(checkpoint), this::createExecutor);
            device = model.device();
        }
        PictureStore store = new PictureStore(request, options.outputFolder(), hashes);
        TextToImage work = new TextToImage(model, request, store, job::isCancelled, event -> {
            listener.accept(event);
            if (event instanceof GenerationEvent.Preview || event instanceof GenerationEvent.PictureDone) {
                look(listener);
            }
        });
        listener.accept(new GenerationEvent.Started(request));
        look(listener);
        work.run();
    }

    private Executor createExecutor(CheckpointFile file) {
        return executors.create(options, file, text -> listening.accept(new GenerationEvent.Notice(text)));
    }

    /** Looks at the card where the job has just waited for it. */
    private void look(Consumer<GenerationEvent> listener) {
        deviceUse = model.deviceUse();
        if (deviceUse != null) {
            listener.accept(new GenerationEvent.Device(deviceUse));
        }
    }

    private void unload() {
        if (model != null) {
            model.close();
            model = null;
            deviceUse = null;
        }
    }

    @Override
    public void close() {
        if (worker.isShutdown()) {
            return;
        }
        // Jobs that still wait end as cancelled when their turn comes.
        closing = true;
        worker.execute(this::unload);
        worker.shutdown();
        GenerationJob job = running;
        if (job != null) {
            job.cancel();
        }
        try {
            worker.awaitTermination(1, TimeUnit.MINUTES);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
