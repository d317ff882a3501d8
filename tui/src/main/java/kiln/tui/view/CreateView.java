package kiln.tui.view;

import java.util.Objects;
import kiln.runtime.job.JobRecord;
import kiln.tui.command.CommandTable;
import kiln.tui.output.Canvas;

/** Draws the whole screen from the state. */
final class CreateView {
    private final CommandTable<UiState> commands;
    private final Theme theme;
    private final PictureView picture = new PictureView();

    CreateView(CommandTable<UiState> commands, Theme theme) {
        this.commands = Objects.requireNonNull(commands, "commands");
        this.theme = Objects.requireNonNull(theme, "theme");
    }

    Canvas draw(UiState state, int columns, int rows) {
        Canvas canvas = new Canvas(columns, rows);
        if (columns < Layout.LEAST_COLUMNS || rows < Layout.LEAST_ROWS) {
            canvas.text(0, 0, columns, "Kiln needs 40×10 cells.", theme.plain());
            canvas.text(0, 1, columns, "Make the window larger.", theme.plain());
            return canvas;
        }
        Layout layout = Layout.of(columns, rows);
        StatusView.header(canvas, state, theme);
        if (layout.compact()) {
            compact(canvas, layout, state);
        } else {
            full(canvas, layout, state);
        }
        ParametersView.draw(canvas, layout.parameters(), state, theme);
        StatusView.progress(canvas, rows - 2, state, theme);
        StatusView.hints(canvas, rows - 1, state, commands, theme);
        if (state.chooser != null) {
            Overlays.chooser(canvas, layout, state.chooser, theme);
        }
        if (state.helpOpen) {
            Overlays.help(canvas, state, commands, theme);
        }
        return canvas;
    }

    private void full(Canvas canvas, Layout layout, UiState state) {
        boolean inPrompt = state.focus == Focus.PROMPT;
        boolean inNegative = state.focus == Focus.NEGATIVE;
        Box.draw(canvas, layout.prompt(), "Prompt", state.promptTokens, inPrompt, theme);
        Box.draw(canvas, layout.negative(), "Negative", state.negativeTokens, inNegative, theme);
        Box.join(canvas, layout.negative(), inPrompt || inNegative, theme);
        boolean over = !state.isPlain();
        EditorView.draw(canvas, text(layout.prompt()), state.prompt, inPrompt && !over, "what to draw", theme);
        EditorView.draw(canvas, text(layout.negative()), state.negative, inNegative && !over, "what to keep out", theme);
        HistoryView.draw(canvas, layout.history(), state, theme);
        JobRecord shown = state.shownJob();
        boolean seeded = state.focus == Focus.HISTORY && shown != null && shown.request().seed() >= 0;
        String caption = seeded ? "seed " + shown.request().seed() : "";
        Box.draw(canvas, layout.picture(), caption.isEmpty() ? "" : "Picture", caption, state.focus == Focus.HISTORY, theme);
        if (shown != null && shown.state().isOver() && shown.use() != null) {
            Box.footnote(canvas, layout.picture(), DeviceText.picture(shown.use(), layout.picture().columns() - 5), theme);
        }
        picture.draw(canvas, layout.picture().inner(), state, theme);
    }

    private static Rect text(Rect box) {
        return new Rect(box.x() + 2, box.y() + 1, box.columns() - 3, box.rows() - 2);
    }

    private void compact(Canvas canvas, Layout layout, UiState state) {
        boolean negative = state.focus == Focus.NEGATIVE;
        String hint = negative ? "negative: what to keep out" : "what to draw";
        if (state.isEditing()) {
            canvas.text(0, layout.prompt().y(), 1, theme.focusMark(), theme.strong());
        }
        EditorView.draw(
                canvas, layout.prompt(), negative ? state.negative : state.prompt, state.isEditing() && state.isPlain(), hint, theme);
        picture.draw(canvas, layout.picture(), state, theme);
    }
}
