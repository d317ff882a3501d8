package kiln.tui.output;

import java.util.Arrays;
import java.util.Objects;
import kiln.tui.text.CellWidth;
import kiln.tui.text.Graphemes;

/**
 * The cells of one frame. Views draw on it; the terminal shows it. What lies outside is cut off.
 *
 * <p>A wide cluster takes two cells, of which the second is empty text. Control characters become "�": nothing that is drawn can
 * command the terminal.
 */
public final class Canvas {
    private final int width;
    private final int height;
    private final String[] text;
    private final Style[] style;
    private int caretX = -1;
    private int caretY = -1;

    public Canvas(int width, int height) {
        this.width = width;
        this.height = height;
        text = new String[Math.multiplyExact(width, height)];
        style = new Style[text.length];
        Arrays.fill(text, " ");
        Arrays.fill(style, Style.PLAIN);
    }

    public int width() {
        return width;
    }

    public int height() {
        return height;
    }

    /** The cluster in a cell; empty for the second cell of a wide one. */
    public String textAt(int x, int y) {
        return text[index(x, y)];
    }

    public Style styleAt(int x, int y) {
        return style[index(x, y)];
    }

    private int index(int x, int y) {
        return Objects.checkIndex(y, height) * width + Objects.checkIndex(x, width);
    }

    /** Puts one cluster of {@code cells} cells. */
    public void put(int x, int y, String cluster, int cells, Style look) {
        if (y < 0 || y >= height || x < 0 || x + cells > width || cells < 1) {
            return;
        }
        clearWide(x, y);
        int at = y * width + x;
        text[at] = Character.isISOControl(cluster.charAt(0)) ? "�" : cluster;
        style[at] = look;
        if (cells == 2) {
            clearWide(x + 1, y);
            text[at + 1] = "";
            style[at + 1] = look;
        }
    }

    /** Half a wide cluster cannot stay when its other half is drawn over. */
    private void clearWide(int x, int y) {
        int at = y * width + x;
        if (text[at].isEmpty() && x > 0) {
            text[at - 1] = " ";
        }
        if (x + 1 < width && text[at + 1].isEmpty()) {
            text[at + 1] = " ";
        }
    }

    /** Writes a line, at most {@code cells} wide, cut with "…"; answers the column behind it. */
    public int text(int x, int y, int cells, String line, Style look) {
        String shown = CellWidth.cut(line, cells);
        int[] at = {x};
        Graphemes.forEach(shown, (cluster, clusterCells) -> {
            put(at[0], y, cluster, clusterCells, look);
            at[0] += clusterCells;
        });
        return at[0];
    }

    /** Writes a line so that it ends before column {@code right}. */
    public void textRight(int right, int y, String line, Style look) {
        int cells = CellWidth.ofText(line);
        text(right - cells, y, cells, line, look);
    }

    public void fill(int x, int y, int columns, int rows, String cluster, Style look) {
        for (int row = y; row < y + rows; row++) {
            for (int column = x; column < x + columns; column++) {
                put(column, row, cluster, 1, look);
            }
        }
    }

    /** Where the terminal's own caret stands; without this call it is hidden. */
    public void caret(int x, int y) {
        if (x >= 0 && x < width && y >= 0 && y < height) {
            caretX = x;
            caretY = y;
        }
    }

    /** −1 when there is no caret. */
    public int caretX() {
        return caretX;
    }

    public int caretY() {
        return caretY;
    }

    /** The text without styles, a line for each row, trailing blanks left out. */
    @Override
    public String toString() {
        StringBuilder lines = new StringBuilder();
        for (int y = 0; y < height; y++) {
            lines.append(String.join("", Arrays.asList(text).subList(y * width, (y + 1) * width)).stripTrailing()).append('\n');
        }
        return lines.toString();
    }
}
