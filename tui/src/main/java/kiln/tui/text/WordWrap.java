package kiln.tui.text;

import java.util.ArrayList;
import java.util.List;

/**
 * A text cut into lines of at most {@code width} cells, at spaces where there are any.
 *
 * @param lines in order, at least one; together they cover the text but for its {@code \n}
 */
public record WordWrap(List<Line> lines) {
    /**
     * One line of the screen.
     *
     * @param hard whether the text itself begins a new line after it
     */
    public record Line(int start, int end, boolean hard) {}

    public WordWrap {
        lines = List.copyOf(lines);
    }

    public static WordWrap of(String text, int width) {
        List<Line> lines = new ArrayList<>();
        int start = 0;
        int breakAt = -1;
        int cells = 0;
        int i = 0;
        while (i < text.length()) {
            char c = text.charAt(i);
            if (c == '\n') {
                lines.add(new Line(start, i, true));
                i++;
                start = i;
                breakAt = -1;
                cells = 0;
                continue;
            }
            int end = Graphemes.next(text, i);
            int clusterCells = end == i + 1 && c < 0x300 ? 1 : CellWidth.of(text.substring(i, end));
            // A space at the edge hangs over it.
            if (cells + clusterCells > width && c != ' ' && i > start) {
                int cut = breakAt > start ? breakAt : i;
                lines.add(new Line(start, cut, false));
                start = cut;
                breakAt = -1;
                cells = CellWidth.ofText(text.substring(start, i));
                continue;
            }
            cells += clusterCells;
            i = end;
            if (c == ' ') {
                breakAt = i;
            }
        }
        lines.add(new Line(start, text.length(), true));
        return new WordWrap(lines);
    }

    /** The line on which a caret at {@code index} stands: at a soft break, the later one. */
    public int lineOf(int index) {
        for (int i = 0; i < lines.size(); i++) {
            Line line = lines.get(i);
            if (index < line.end() || index == line.end() && (line.hard() || i == lines.size() - 1)) {
                return i;
            }
        }
        return lines.size() - 1;
    }

    /** Cells from the line's start to {@code index}. */
    public static int column(String text, Line line, int index) {
        return CellWidth.ofText(text.substring(line.start(), Math.min(index, line.end())));
    }

    /** The index on {@code line} that stands nearest to {@code column} cells. */
    public static int indexAt(String text, Line line, int column) {
        int cells = 0;
        int i = line.start();
        // The end of a soft line is the next line's start: stay before it.
        int limit = line.hard() || line.end() == line.start() ? line.end() : Graphemes.previous(text, line.end());
        while (i < limit) {
            int end = Graphemes.next(text, i);
            cells += CellWidth.of(text.substring(i, end));
            if (cells > column) {
                return i;
            }
            i = end;
        }
        return limit;
    }
}
