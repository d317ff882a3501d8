package kiln.tui.view;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.regex.Pattern;
import kiln.runtime.base.KilnException;
import kiln.runtime.check.PictureInspection;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.job.InfoText;
import kiln.runtime.job.InfoTextReader;
import kiln.runtime.job.JobRecord;
import kiln.runtime.job.PictureParameters;
import kiln.tui.editor.PromptEditor;

/** What commands do to the state. */
final class Actions {
    /** A second ^C within this time quits. */
    private static final Pattern PICTURE_NAME = Pattern.compile("\\.(png|jpe?g|webp|gif|bmp)$", Pattern.CASE_INSENSITIVE);
    private static final long QUIT_NANOS = 2_000_000_000L;

    private final UiState state;
    private final Effects effects;

    Actions(UiState state, Effects effects) {
        this.state = state;
        this.effects = effects;
    }

    UiState state() {
        return state;
    }

    void generate() {
        state.form.commit();
        if (!state.ready) {
            state.generateWhenReady = true;
            state.notice = Notice.brief("reading the model…", System.nanoTime() + QUIT_NANOS);
            return;
        }
        state.generateWhenReady = false;
        if (state.form.model() == null) {
            throw new KilnException(
                    KilnException.Category.NOT_FOUND,
                    "no model: put a .safetensors or .ckpt file into models/Stable-diffusion, or start with --ckpt FILE");
        }
        GenerationRequest request = state.form.values().toBuilder()
                .prompt(state.prompt.text())
                .negativePrompt(state.negative.text())
                .model(state.form.model() == null ? null : state.form.model().path())
                .build();
        submit(request);
        if (state.promptHistory.add(request.prompt())) {
            effects.remember(request.prompt());
        }
    }

    /** The last request with the seed that it got: the same pictures. */
    void again() {
        JobRecord last = state.jobs.records().get(0);
        submit(last.request());
    }

    private void submit(GenerationRequest request) {
        state.notice = null;
        JobRecord job = state.jobs.add(request);
        if (state.focus == Focus.HISTORY) {
            state.historyIndex = 0;
        }
        state.jobs.cancelWith(job.id(), effects.submit(job.id(), request));
    }

    /** Cancels what runs; with nothing running or a second time in a row, leads to the end. */
    void cancelOrQuit() {
        long now = System.nanoTime();
        if (state.cancelPressed != 0 && now - state.cancelPressed < QUIT_NANOS) {
            state.quitting = true;
            return;
        }
        state.cancelPressed = now;
        String again = "^C again to quit";
        if (state.jobs.running() != null) {
            state.jobs.cancelRunning();
            again = "cancelling · " + again;
        }
        state.notice = Notice.brief(again, now + QUIT_NANOS);
    }

    void quit() {
        state.quitting = true;
    }

    void nextFocus(int direction) {
        state.form.commit();
        Parameter[] all = Parameter.values();
        if (state.focus == Focus.PARAMETERS) {
            int next = state.form.selected().ordinal() + direction;
            if (next >= 0 && next < all.length) {
                state.form.select(all[next]);
                return;
            }
        }
        int count = Focus.values().length;
        Focus focus = Focus.values()[Math.floorMod(state.focus.ordinal() + direction, count)];
        if (focus == Focus.HISTORY && state.jobs.records().isEmpty()) {
            focus = Focus.values()[Math.floorMod(focus.ordinal() + direction, count)];
        }
        if (focus == Focus.PARAMETERS) {
            state.form.select(direction > 0 ? all[0] : all[all.length - 1]);
        }
        state.historyIndex = 0;
        state.focus = focus;
    }

    /** Up and down among the fields: out of the last one into the history. */
    void moveField(int direction) {
        int next = state.form.selected().ordinal() + direction;
        if (next < 0) {
            state.form.commit();
            state.focus = Focus.NEGATIVE;
        } else if (next < Parameter.values().length) {
            state.form.select(Parameter.values()[next]);
        } else if (!state.jobs.records().isEmpty()) {
            state.form.commit();
            state.historyIndex = 0;
            state.focus = Focus.HISTORY;
        }
    }

    void stepField(int direction) {
        UiModel before = state.form.model();
        state.form.step(direction);
        modelMayHaveChanged(before);
    }

    void resetField() {
        state.form.reset();
    }

    /** Takes what was typed, or opens the field's list. */
    void enterField() {
        if (state.form.entry() != null) {
            state.form.commit();
        } else if (state.form.selected().hasList() && !state.form.choices().isEmpty()) {
            String title = state.form.selected() == Parameter.WIDTH || state.form.selected() == Parameter.HEIGHT
                    ? "Size"
                    : state.form.selected().label();
            state.chooser = new Chooser(title, state.form.choices(), state.form.chosen());
        } else {
            moveField(1);
        }
    }

    void choose() {
        int index = state.chooser.selected();
        state.chooser = null;
        if (index >= 0) {
            UiModel before = state.form.model();
            state.form.choose(index);
            modelMayHaveChanged(before);
        }
    }

    private void modelMayHaveChanged(UiModel before) {
        UiModel now = state.form.model();
        if (now != null && now != before) {
            effects.loadFacts(now);
        }
    }

    void moveHistory(int direction) {
        int next = state.historyIndex + direction;
        if (next < 0) {
            state.focus = Focus.PARAMETERS;
            state.form.select(Parameter.SETTINGS);
        } else if (next < state.jobs.records().size()) {
            state.historyIndex = next;
        }
    }

    /** Pasted text goes into the prompt; a picture's parameters, or the path of a picture that has them, become the settings instead. */
    void paste(String text) {
        InfoText parameters = parameters(text);
        if (parameters == null) {
            state.editor().insert(text);
        } else {
            take(parameters);
        }
    }

    /** A1111's paste button: parameters that stand in the prompt become the settings; an empty prompt takes those of the last job. */
    void useParameters() {
        if (state.prompt.text().isBlank()) {
            effects.readParameters();
        } else {
            takeParameters(state.prompt.text());
        }
    }

    void takeParameters(String text) {
        InfoText parameters = InfoText.parse(text);
        if (parameters.parameters().isEmpty()) {
            state.remark("there are no parameters in the prompt");
        } else {
            take(parameters);
        }
    }

    private void take(InfoText parameters) {
        InfoTextReader.Reading reading = InfoTextReader.read(parameters, state.form.values());
        GenerationRequest request = reading.request().build();
        replace(state.prompt, request.prompt());
        replace(state.negative, request.negativePrompt());
        state.form.take(request);
        if (!reading.notHonoured().isEmpty()) {
            state.remark("left out: " + String.join(", ", reading.notHonoured()));
        }
    }

    private static InfoText parameters(String text) {
        InfoText pasted = InfoText.parse(text);
        if (!pasted.parameters().isEmpty()) {
            return pasted;
        }
        String name = text.strip().replaceAll("^['\"]|['\"]$", "");
        if (name.contains("\n") || !PICTURE_NAME.matcher(name).find()) {
            return null;
        }
        try {
            Path file = Path.of(name);
            PictureParameters inside = Files.isRegularFile(file) ? PictureInspection.of(file).parameters() : null;
            return inside == null ? null : InfoText.parse(inside.infoText());
        } catch (InvalidPathException | KilnException e) {
            // Words that merely look like a path stay words.
            return null;
        }
    }

    /** Texts and values of the chosen job become the fields'. */
    void takeSettings(boolean withSeed) {
        JobRecord job = state.chosenJob();
        if (job == null) {
            return;
        }
        GenerationRequest request = job.request();
        replace(state.prompt, request.prompt());
        replace(state.negative, request.negativePrompt());
        state.form.take(withSeed ? request : request.toBuilder().seed(state.form.values().seed()).build());
        state.focus = Focus.PROMPT;
    }

    private static void replace(PromptEditor editor, String text) {
        if (!editor.text().equals(text)) {
            editor.replace(text);
        }
    }

    /** Esc: closes what is open, gives up what is being typed, goes to the prompt. */
    void escape() {
        if (state.notice != null && state.notice.isError()) {
            state.notice = null;
        } else if (state.form.entry() != null) {
            state.form.abandon();
        } else {
            state.focus = Focus.PROMPT;
        }
    }

    void help() {
        state.helpOpen = true;
        state.helpScroll = 0;
    }

    void redraw() {
        effects.redraw();
    }

    void suspend() {
        effects.suspend();
    }
}
