package kiln.runtime;

import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * Takes requests, runs them one after another on its own thread, and keeps the model in memory between them.
 *
 * <p>Methods may be called from any thread. The creator closes it; closing cancels what runs and waits for it to stop.
 */
public final class Engine implements AutoCloseable {
    private final EngineOptions options;
    private final ThreadPoolExecutor worker;
    private final AtomicInteger waiting = new AtomicInteger();
    private volatile GenerationJob running;

    public Engine(EngineOptions options) {
        this.options = options;
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
        GenerationEvent last;
        long begin = System.nanoTime();
        try {
            if (job.isCancelled()) {
                throw KilnException.cancelled();
            }
            last = new GenerationEvent.Finished((System.nanoTime() - begin) / 1e9);
        } catch (KilnException e) {
            last = e.category() == KilnException.Category.CANCELLED ? new GenerationEvent.Cancelled() : new GenerationEvent.Failed(e);
        } catch (RuntimeException | LinkageError e) {
            last = new GenerationEvent.Failed(new KilnException(KilnException.Category.INTERNAL, "internal error: " + e, e));
        }
        running = null;
        waiting.decrementAndGet();
        try {
            listener.accept(last);
        } finally {
            job.complete(last);
        }
    }

    @Override
    public void close() {
        worker.shutdown();
        GenerationJob job = running;
        if (job != null) {
            job.cancel();
        }
        worker.getQueue().clear();
        try {
            worker.awaitTermination(1, TimeUnit.MINUTES);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
