package kiln.tui.view;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import kiln.runtime.base.KilnException;
import kiln.runtime.engine.Engine;
import kiln.runtime.engine.LastParameters;
import kiln.runtime.job.GenerationEvent;
import kiln.runtime.job.GenerationRequest;
import kiln.tui.input.InputEvent;
import kiln.tui.output.ColorDepth;
import kiln.tui.terminal.InputReader;
import kiln.tui.terminal.ScreenSize;
import kiln.tui.terminal.TerminalDevice;

/**
 * The terminal UI: takes over the terminal, runs until the person ends it, gives the terminal back.
 *
 * <p>Messages change the state, the state is drawn; both happen on the calling thread, at most thirty times a second.
 */
public final class TerminalUi implements Effects {
    private static final long FRAME_NANOS = 33_000_000;
    /** Without messages the screen looks at the clock this often, for notices that end. */
    private static final long IDLE_MILLISECONDS = 250;

    private final Engine engine;
    private final LastParameters parameters;
    private final Inbox inbox = new Inbox();
    private final Background background;
    private final TerminalDevice device;
    private final UiState state = new UiState();
    private final Update update;
    private final CreateView view;
    private boolean suspendWanted;

    private TerminalUi(Engine engine, UiOptions options, TerminalDevice device, ColorDepth depth) {
        this.engine = engine;
        this.device = device;
        parameters = options.parameters();
        background = new Background(options, inbox);
        update = new Update(state, this);
        if (!options.notes().isEmpty()) {
            state.error(String.join(" · ", options.notes()));
        }
        view = new CreateView(update.commands(), Theme.of(options.environment(), System.getProperty("kiln.locale"), depth));
    }

    /**
     * Runs the terminal UI on the process's terminal. The engine stays open: whoever made it closes it.
     *
     * @return the exit code: 0
     * @throws KilnException DEVICE when there is no terminal to take over
     */
    public static int run(Engine engine, UiOptions options) {
        Objects.requireNonNull(engine, "engine");
        ColorDepth depth = options.color() != null ? options.color() : ColorDepth.of(options.environment());
        PrintStream out = System.out;
        PrintStream err = System.err;
        try (PrintStream log = log(options.stateFolder())) {
            // Nothing but the screen's writer may write to the terminal.
            System.setOut(log);
            System.setErr(log);
            String farewell;
            try (TerminalDevice device = TerminalDevice.open(depth)) {
                TerminalUi ui = new TerminalUi(engine, options, device, depth);
                ui.loop();
                farewell = ui.farewell();
            }
            if (!farewell.isEmpty()) {
                out.println(farewell);
            }
            return 0;
        } catch (IOException e) {
            throw new KilnException(KilnException.Category.DEVICE, "the terminal UI cannot use this terminal: " + e.getMessage(), e);
        } finally {
            System.setOut(out);
            System.setErr(err);
        }
    }

    /** Loads the classes of a first frame and the first key, without touching the terminal; for an archive of loaded classes. */
    public static void loadClasses() {
        UiState state = new UiState();
        Update update = new Update(state, new NoEffects());
        CreateView view = new CreateView(update.commands(), Theme.of(Map.of(), null, ColorDepth.TRUECOLOR));
        Inbox inbox = new Inbox();
        inbox.post(new Message.Result.Models(List.of(new UiModel(Path.of("demo"), "demo", true))));
        inbox.post(new Message.Input(InputEvent.Key.typed('a')));
        try {
            inbox.take(0).forEach(update::accept);
            TerminalDevice.loadClasses(view.draw(state, 80, 24), ColorDepth.TRUECOLOR);
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static PrintStream log(Path folder) {
        OutputStream out = OutputStream.nullOutputStream();
        if (folder != null) {
            try {
                Files.createDirectories(folder);
                out = Files.newOutputStream(folder.resolve("kiln.log"), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
            } catch (IOException e) {
                out = OutputStream.nullOutputStream(); // a read-only home must not keep Kiln from starting
            }
        }
        return new PrintStream(out, true, StandardCharsets.UTF_8);
    }

    /** Where this run's pictures are; empty when there are none. */
    private String farewell() {
        List<Path> files = state.jobs.records().stream()
                .flatMap(job -> job.pictures().stream())
                .map(GenerationEvent.GeneratedPicture::file)
                .filter(Objects::nonNull)
                .toList();
        return switch (files.size()) {
            case 0 -> "";
            case 1 -> files.get(0).toString();
            default -> files.size() + " pictures in " + files.get(0).getParent();
        };
    }

    private void loop() throws IOException {
        device.onResize(() -> inbox.post(new Message.Resized()));
        draw();
        long lastFrame = System.nanoTime();
        InputReader.start(event -> inbox.post(new Message.Input(event)), () -> inbox.post(new Message.HungUp()));
        boolean dirty = false;
        try (background) {
            background.start();
            while (!state.quitting) {
                long untilFrame = (FRAME_NANOS - (System.nanoTime() - lastFrame)) / 1_000_000;
                for (Message message : inbox.take(dirty ? Math.max(0, untilFrame) : IDLE_MILLISECONDS)) {
                    update.accept(message);
                    dirty = true;
                    if (isLifecycle(message)) {
                        background.measure();
                    }
                }
                background.countTokens(state);
                if (suspendWanted) {
                    suspendWanted = false;
                    device.suspend();
                }
                if (state.notice != null && state.notice.isOver(System.nanoTime())) {
                    state.notice = null;
                    dirty = true;
                }
                if (dirty && System.nanoTime() - lastFrame >= FRAME_NANOS) {
                    draw();
                    lastFrame = System.nanoTime();
                    dirty = false;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static boolean isLifecycle(Message message) {
        return message instanceof Message.Job job
                && (job.event() instanceof GenerationEvent.Started || job.event() instanceof GenerationEvent.Finished);
    }

    private void draw() throws IOException {
        ScreenSize size = device.size();
        device.show(view.draw(state, size.columns(), size.rows()));
    }

    @Override
    public Runnable submit(long id, GenerationRequest request) {
        return engine.submit(request, parameters.keepFrom(event -> {
            if (event instanceof GenerationEvent.Preview preview) {
                background.render(id, preview);
            } else {
                inbox.post(new Message.Job(id, event));
            }
        }))::cancel;
    }

    @Override
    public void loadFacts(UiModel model) {
        background.loadFacts(model);
    }

    @Override
    public void remember(String prompt) {
        background.remember(prompt);
    }

    @Override
    public void readParameters() {
        background.readParameters();
    }

    @Override
    public void suspend() {
        suspendWanted = true;
    }

    @Override
    public void redraw() {
        device.redrawAll();
    }
}
