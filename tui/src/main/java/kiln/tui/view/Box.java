package kiln.tui.view;

import kiln.tui.output.Canvas;
import kiln.tui.output.Style;
import kiln.tui.text.CellWidth;

/** Borders with a title on the left and a note on the right of the upper one. */
final class Box {
    private Box() {}

    static void draw(Canvas canvas, Rect r, String title, String note, boolean focused, Theme theme) {
        Style line = focused ? theme.accent() : theme.dim();
        for (int x = r.x() + 1; x < r.right() - 1; x++) {
            canvas.put(x, r.y(), theme.box(4), 1, line);
            canvas.put(x, r.bottom() - 1, theme.box(4), 1, line);
        }
        for (int y = r.y() + 1; y < r.bottom() - 1; y++) {
            canvas.put(r.x(), y, theme.box(5), 1, line);
            canvas.put(r.right() - 1, y, theme.box(5), 1, line);
        }
        canvas.put(r.x(), r.y(), theme.box(0), 1, line);
        canvas.put(r.right() - 1, r.y(), theme.box(1), 1, line);
        canvas.put(r.x(), r.bottom() - 1, theme.box(2), 1, line);
        canvas.put(r.right() - 1, r.bottom() - 1, theme.box(3), 1, line);
        titles(canvas, r, title, note, focused, theme);
    }

    /** A note in the lower border, on the right. */
    static void footnote(Canvas canvas, Rect r, String note, Theme theme) {
        if (!note.isEmpty()) {
            canvas.textRight(r.right() - 2, r.bottom() - 1, " " + note + " ", theme.dim());
        }
    }

    private static void titles(Canvas canvas, Rect r, String title, String note, boolean focused, Theme theme) {
        if (!title.isEmpty()) {
            String mark = focused ? theme.focusMark() : " ";
            canvas.text(r.x() + 1, r.y(), 1, mark, theme.strong());
            canvas.text(r.x() + 2, r.y(), r.columns() - 4, title + " ", focused ? theme.strong() : theme.plain());
        }
        if (!note.isEmpty()) {
            String shown = " " + CellWidth.cut(note, Math.max(0, r.columns() - title.length() - 7)) + " ";
            canvas.textRight(r.right() - 2, r.y(), shown, theme.plain());
        }
    }

    /** Makes the upper border of {@code r}, drawn over another box's lower one, a partition between the two. */
    static void join(Canvas canvas, Rect r, boolean focused, Theme theme) {
        Style line = focused ? theme.accent() : theme.dim();
        canvas.put(r.x(), r.y(), theme.box(6), 1, line);
        canvas.put(r.right() - 1, r.y(), theme.box(7), 1, line);
    }
}
