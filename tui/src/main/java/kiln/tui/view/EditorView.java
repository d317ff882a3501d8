package kiln.tui.view;

import java.util.List;
import kiln.tui.editor.Completion;
import kiln.tui.editor.PromptEditor;
import kiln.tui.output.Canvas;
import kiln.tui.output.Style;
import kiln.tui.text.CellWidth;
import kiln.tui.text.Graphemes;
import kiln.tui.text.WordWrap;
import kiln.tui.text.WordWrap.Line;

/** A text being written: its lines around the caret, and the completion behind it. */
final class EditorView {
    private EditorView() {}

    /** @param hint shown dim while the text is empty */
    static void draw(Canvas canvas, Rect area, PromptEditor editor, boolean focused, String hint, Theme theme) {
        if (area.isEmpty()) {
            return;
        }
        String text = editor.text();
        // The caret needs a cell behind a full line.
        WordWrap wrap = editor.wrap(Math.max(1, area.columns() - 1));
        List<Line> lines = wrap.lines();
        int caretLine = wrap.lineOf(editor.caret());
        int first = Math.max(0, Math.min(caretLine - area.rows() + 1 + (caretLine + 1 < lines.size() ? 1 : 0), lines.size() - area.rows()));
        first = Math.min(first, caretLine);
        Style style = editor.isSuggestion() ? theme.dim() : theme.plain();
        for (int row = 0; row < area.rows() && first + row < lines.size(); row++) {
            Line line = lines.get(first + row);
            drawLine(canvas, area.x(), area.y() + row, area.columns(), text.substring(line.start(), line.end()), style);
        }
        if (text.isEmpty() && !hint.isEmpty()) {
            canvas.text(area.x(), area.y(), area.columns(), hint, theme.dim());
        }
        if (!focused) {
            return;
        }
        Line line = lines.get(caretLine);
        int x = area.x() + Math.min(area.columns() - 1, WordWrap.column(text, line, editor.caret()));
        int y = area.y() + caretLine - first;
        canvas.caret(x, y);
        Completion completion = editor.completion();
        boolean atLineEnd = editor.caret() == line.end();
        if (completion != null && atLineEnd) {
            int more = completion.candidates().size() - 1;
            String rest = completion.rest() + (more > 0 ? "  +" + more : "");
            canvas.text(x, y, area.right() - x, rest, theme.dim().with(Style.UNDERLINE));
        }
    }

    private static void drawLine(Canvas canvas, int x, int y, int columns, String line, Style style) {
        int column = 0;
        for (int i = 0; i < line.length(); ) {
            int end = Graphemes.next(line, i);
            String cluster = line.substring(i, end);
            int cells = CellWidth.of(cluster);
            if (column + cells > columns) {
                return;
            }
            canvas.put(x + column, y, cluster, cells, style);
            column += cells;
            i = end;
        }
    }
}
