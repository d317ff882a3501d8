package kiln.tui.view;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import kiln.runtime.base.KilnException;
import kiln.runtime.job.GenerationEvent;
import kiln.runtime.job.GenerationRequest;
import kiln.tui.view.Message.Result;

/** Work that must not hold up the screen, on one thread of its own; results come back as messages. */
final class Background implements AutoCloseable {
    private static final double GIB = 1L << 30;

    private final UiOptions options;
    private final Inbox inbox;
    private final ExecutorService executor = Executors.newSingleThreadExecutor(task -> {
        Thread thread = new Thread(task, "kiln-background");
        thread.setDaemon(true);
        return thread;
    });
    private final PromptFile prompts;
    /** By job, those that wait to be rendered. */
    private final Map<Long, GenerationEvent.Preview> previews = new ConcurrentHashMap<>();
    private long countedPrompt = -1;
    private long countedNegative = -1;
    private volatile boolean counting;
    private GenerationRequest given;

    Background(UiOptions options, Inbox inbox) {
        this.options = options;
        this.inbox = inbox;
        given = options.request();
        prompts = options.stateFolder() == null || options.parameters().file() == null ? null : new PromptFile(options.stateFolder());
    }

    /** Finds the models and loads the prompts of earlier runs. */
    void start() {
        run(() -> inbox.post(new Result.Models(orUnknown(options.models()))));
        if (prompts != null) {
            run(() -> inbox.post(new Result.Prompts(prompts.load())));
        }
        measure();
    }

    /** Reads a model's presets. Called on the screen's thread: with the first come the values of the command line. */
    void loadFacts(UiModel model) {
        GenerationRequest request = given;
        given = null;
        run(() -> inbox.post(new Result.Facts(model, orUnknown(() -> options.facts().apply(model.path())), request)));
    }

    /** What is found; the screen is told also when nothing can be, as it waits for it. */
    private <T> T orUnknown(Supplier<T> search) {
        try {
            return search.get();
        } catch (RuntimeException e) {
            inbox.post(new Result.Unknown());
            throw e;
        }
    }

    /** Reads the last job's parameters text. */
    void readParameters() {
        run(() -> inbox.post(new Result.Parameters(options.parameters().read().orElse(null))));
    }

    /** Makes a picture of what a job's picture seems to become; of those that wait only the latest. From any thread. */
    void render(long job, GenerationEvent.Preview preview) {
        if (previews.put(job, preview) == null) {
            run(() -> {
                GenerationEvent.Preview latest = previews.remove(job);
                inbox.post(new Result.Preview(job, latest.picture(), latest.latent().render()));
            });
        }
    }

    void remember(String prompt) {
        if (prompts != null) {
            run(() -> {
                try {
                    prompts.append(prompt);
                } catch (IOException e) {
                    throw new UncheckedIOException("the prompt could not be kept: " + e.getMessage(), e);
                }
            });
        }
    }

    /** Counts tokens anew when a text has changed; one count at a time, the latest text wins. */
    void countTokens(UiState state) {
        if (counting) {
            return;
        }
        if (state.prompt.version() != countedPrompt) {
            countedPrompt = state.prompt.version();
            count(state.prompt.text(), false);
        } else if (state.negative.version() != countedNegative) {
            countedNegative = state.negative.version();
            count(state.negative.text(), true);
        }
    }

    private void count(String text, boolean negative) {
        counting = true;
        run(() -> {
            String count = "";
            try {
                count = options.tokenCount().apply(text);
            } finally {
                counting = false;
                inbox.post(new Result.Tokens(negative, count));
            }
        });
    }

    /** Looks at device and memory, for the top line. */
    void measure() {
        run(() -> inbox.post(new Result.Measured(options.device().get(), memory())));
    }

    private static String memory() {
        double total = physicalMemory();
        long resident = 0;
        try {
            for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
                if (line.startsWith("VmRSS:")) {
                    resident = Long.parseLong(line.replaceAll("\\D", "")) * 1024;
                }
            }
        } catch (IOException e) {
            return ""; // not Linux: the top line does without
        }
        return String.format(Locale.ROOT, "%.1f/%.0f GiB", resident / GIB, total / GIB);
    }

    private static double physicalMemory() {
        return ManagementFactory.getOperatingSystemMXBean() instanceof com.sun.management.OperatingSystemMXBean bean
                ? bean.getTotalMemorySize()
                : 0;
    }

    private void run(Runnable work) {
        try {
            executor.execute(() -> {
                try {
                    work.run();
                } catch (KilnException e) {
                    inbox.post(new Result.Failed(e.getMessage()));
                } catch (RuntimeException | LinkageError e) {
                    inbox.post(new Result.Failed(e.getMessage() == null ? e.toString() : e.getMessage()));
                }
            });
        } catch (RejectedExecutionException e) {
            // The screen is closing; nobody waits for this any more.
        }
    }

    @Override
    public void close() {
        executor.shutdown();
        try {
            // What is being written, such as the last prompt, gets its moment.
            executor.awaitTermination(500, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
