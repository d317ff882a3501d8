package kiln.runtime.engine;

import java.util.concurrent.CompletableFuture;
import kiln.runtime.job.GenerationEvent;
import kiln.runtime.job.GenerationRequest;

/** A request on its way. Safe to use from any thread. */
public final class GenerationJob {
    private final long id;
    private final GenerationRequest request;
    private final CompletableFuture<GenerationEvent> end = new CompletableFuture<>();
    private volatile boolean cancelled;

    GenerationJob(long id, GenerationRequest request) {
        this.id = id;
        this.request = request;
    }

    /** As {@link Engine#jobs} lists it. */
    public long id() {
        return id;
    }

    public GenerationRequest request() {
        return request;
    }

    /** Asks the job to stop; it does so before the network's next node. Harmless when it has ended. */
    public void cancel() {
        cancelled = true;
    }

    public boolean isCancelled() {
        return cancelled;
    }

    public boolean isDone() {
        return end.isDone();
    }

    /** Waits for the job's last event. */
    public GenerationEvent await() {
        return end.join();
    }

    void complete(GenerationEvent last) {
        end.complete(last);
    }
}
