package kiln.tui.view;

import kiln.tui.output.Canvas;
import kiln.tui.output.Style;
import kiln.tui.text.CellWidth;

/** The fields: one or two on a row, the chosen one marked, changed ones with a dot. */
final class ParametersView {
    private static final Parameter[][] LINES = {
        {Parameter.MODEL},
        {Parameter.SAMPLER, Parameter.SCHEDULE},
        {Parameter.STEPS},
        {Parameter.CFG_SCALE},
        {Parameter.WIDTH, Parameter.HEIGHT, Parameter.HIRES},
        {Parameter.SEED},
        {Parameter.BATCH_SIZE, Parameter.BATCH_COUNT},
        {Parameter.CLIP_SKIP, Parameter.SETTINGS}
    };
    private static final String[] LABELS = {"Model", "Sampler", "Steps", "CFG", "Size", "Seed", "Batch", "Clip skip"};
    static final int ROWS = LINES.length;

    private static final int VALUE_COLUMN = 12;

    private ParametersView() {}

    static void draw(Canvas canvas, Rect area, UiState state, Theme theme) {
        int chosen = lineOf(state.form.selected());
        int first = Math.max(0, Math.min(chosen - area.rows() + 1, ROWS - area.rows()));
        for (int row = 0; row < area.rows() && first + row < ROWS; row++) {
            int line = area.rows() == 1 ? chosen : first + row;
            drawLine(canvas, area, area.y() + row, line, state, theme);
        }
    }

    private static int lineOf(Parameter parameter) {
        for (int i = 0; i < LINES.length; i++) {
            for (Parameter field : LINES[i]) {
                if (field == parameter) {
                    return i;
                }
            }
        }
        return 0;
    }

    private static void drawLine(Canvas canvas, Rect area, int y, int line, UiState state, Theme theme) {
        Parameter[] fields = LINES[line];
        boolean focused = state.focus == Focus.PARAMETERS && lineOf(state.form.selected()) == line;
        if (focused) {
            canvas.text(area.x(), y, 1, theme.focusMark(), theme.strong());
        }
        canvas.text(area.x() + 2, y, VALUE_COLUMN - 3, LABELS[line], focused ? theme.bold() : theme.plain());
        int x = area.x() + VALUE_COLUMN;
        for (int i = 0; i < fields.length; i++) {
            Parameter field = fields[i];
            String text = field == Parameter.MODEL && !state.modelsKnown ? "looking…" : state.form.text(field);
            boolean selected = focused && state.form.selected() == field;
            boolean changed = state.form.isChanged(field);
            if (i > 0) {
                boolean times = field == Parameter.HEIGHT || field == Parameter.BATCH_COUNT;
                x = times
                        ? canvas.text(x, y, 3, " × ", theme.plain())
                        : Math.max(x + 1, area.x() + VALUE_COLUMN + 13);
            }
            Style style = selected ? theme.chosen() : changed ? theme.bold() : theme.plain();
            int room = Math.max(0, area.right() - 1 - x);
            String shown = CellWidth.cut(text.isEmpty() ? " " : text, room);
            x = canvas.text(x, y, room, shown, style);
            if (selected && state.form.entry() != null) {
                canvas.caret(x, y);
                x = canvas.text(x, y, 1, " ", theme.chosen());
            }
            if (changed && x < area.right()) {
                x = canvas.text(x, y, 1, "*", theme.accent());
            }
        }
    }
}
