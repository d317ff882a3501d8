package kiln.tui.view;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import kiln.runtime.base.KilnException;
import kiln.tui.editor.PromptEditor;

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
    private long countedPrompt = -1;
    private long countedNegative = -1;
    private boolean counting;

    Background(UiOptions options, Inbox inbox) {
        this.options = options;
        this.inbox = inbox;
        prompts = options.stateFolder() == null ? null : new PromptFile(options.stateFolder());
    }

    /** Finds the models and loads the prompts of earlier runs. */
    void start() {
        run(() -> {
            List<UiModel> models;
            try {
                models = options.models().get();
            } catch (RuntimeException e) {
                post(state -> {
                    state.modelsKnown = true;
                    state.ready = true;
                });
                throw e;
            }
            post(state -> {
                state.modelsKnown = true;
                state.form.models(models);
                if (state.form.model() != null) {
                    loadFacts(state.form.model(), true);
                } else {
                    state.ready = true;
                }
            });
        });
        if (prompts != null) {
            run(() -> {
                List<String> earlier = prompts.load();
                post(state -> state.promptHistory.load(earlier));
            });
        }
        measure();
    }

    void loadFacts(UiModel model, boolean first) {
        run(() -> {
            ModelFacts facts;
            try {
                facts = options.facts().apply(model.path());
            } catch (RuntimeException e) {
                post(state -> state.ready = true);
                throw e;
            }
            post(state -> apply(state, model, facts, first));
        });
    }

    private void apply(UiState state, UiModel model, ModelFacts facts, boolean first) {
        state.ready = true;
        if (!model.equals(state.form.model())) {
            return; // another one was chosen meanwhile
        }
        state.form.defaults(facts.defaults().toBuilder().prompt("").negativePrompt("").build());
        state.prompt.names(facts.vocabulary());
        state.drawableThings = facts.things();
        if (first && options.request() != null) {
            state.form.take(options.request().toBuilder().model(model.path()).build());
        }
        if (state.prompt.version() > 0) {
            return; // somebody was faster
        }
        if (first && options.request() != null && !options.request().prompt().isEmpty()) {
            state.prompt.insert(options.request().prompt());
        } else {
            state.prompt.suggest(facts.defaults().prompt());
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
            count(state.prompt, text -> post(s -> counted(() -> s.promptTokens = text)));
        } else if (state.negative.version() != countedNegative) {
            countedNegative = state.negative.version();
            count(state.negative, text -> post(s -> counted(() -> s.negativeTokens = text)));
        }
    }

    private void count(PromptEditor editor, Consumer<String> found) {
        counting = true;
        String text = editor.text();
        run(() -> {
            String count = "";
            try {
                count = options.tokenCount().apply(text);
            } finally {
                found.accept(count);
            }
        });
    }

    private void counted(Runnable change) {
        counting = false;
        change.run();
    }

    /** Looks at device and memory, for the top line. */
    void measure() {
        run(() -> {
            String device = options.device().get();
            String memory = memory();
            post(state -> {
                state.device = device;
                state.memory = memory;
            });
        });
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

    private void post(Consumer<UiState> change) {
        inbox.post(new Message.Result(change));
    }

    private void run(Runnable work) {
        try {
            executor.execute(() -> {
                try {
                    work.run();
                } catch (KilnException e) {
                    post(state -> state.error(e.getMessage()));
                } catch (RuntimeException | LinkageError e) {
                    post(state -> state.error(e.getMessage() == null ? e.toString() : e.getMessage()));
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
