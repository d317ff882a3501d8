package kiln.tui.terminal;

import com.googlecode.lanterna.SGR;
import com.googlecode.lanterna.TerminalSize;
import com.googlecode.lanterna.TextCharacter;
import com.googlecode.lanterna.TextColor;
import com.googlecode.lanterna.screen.TerminalScreen;
import com.googlecode.lanterna.terminal.Terminal;
import java.io.IOException;
import java.util.EnumSet;
import kiln.tui.output.AnsiWriter;
import kiln.tui.output.Canvas;
import kiln.tui.output.ColorDepth;
import kiln.tui.output.Style;
import kiln.tui.text.CellWidth;

/**
 * Lanterna's screen with its two cell buffers, and a delta of our own: a frame is one write, colours are merged and degraded, and
 * characters beyond the BMP arrive whole. One thread at a time.
 */
final class CellScreen extends TerminalScreen {
    /** Takes the bytes of a frame. */
    interface Sink {
        void write(byte[] frame) throws IOException;
    }

    private static final int[] ATTRIBUTES = {Style.BOLD, Style.DIM, Style.UNDERLINE, Style.REVERSE};
    /** Lanterna has no name for faint; nothing here is italic. */
    private static final SGR[] MODIFIERS = {SGR.BOLD, SGR.ITALIC, SGR.UNDERLINE, SGR.REVERSE};

    /** The second cell of a wide cluster. */
    private static final char CONTINUATION = '\uf8ff';

    private final Sink sink;
    private final AnsiWriter writer;
    private final ClusterTable clusters = new ClusterTable();
    private Canvas shown;
    private boolean complete = true;
    private int caretX = -1;
    private int caretY = -1;

    CellScreen(Terminal terminal, Sink sink, ColorDepth depth) throws IOException {
        super(terminal);
        this.sink = sink;
        writer = new AnsiWriter(depth);
    }

    /** The size that the next canvas should have. */
    TerminalSize prepare() {
        if (doResizeIfNecessary() != null) {
            redrawAll();
        }
        return getTerminalSize();
    }

    /** Draws everything with the next frame: the terminal's content is not known any more. */
    void redrawAll() {
        complete = true;
        shown = null;
    }

    void show(Canvas canvas) throws IOException {
        TerminalSize size = getTerminalSize();
        int columns = Math.min(size.getColumns(), canvas.width());
        int rows = Math.min(size.getRows(), canvas.height());
        boolean sameSize = shown != null && shown.width() == canvas.width() && shown.height() == canvas.height();
        for (int y = 0; y < rows; y++) {
            for (int x = 0; x < columns; x++) {
                String text = canvas.textAt(x, y);
                Style style = canvas.styleAt(x, y);
                if (!sameSize || !text.equals(shown.textAt(x, y)) || !style.equals(shown.styleAt(x, y))) {
                    getBackBuffer().setCharacterAt(x, y, character(text, style));
                }
            }
        }
        shown = canvas;
        caretX = canvas.caretX();
        caretY = canvas.caretY();
        refresh(RefreshType.DELTA);
    }

    @Override
    public synchronized void refresh(RefreshType type) throws IOException {
        TerminalSize size = getTerminalSize();
        boolean all = complete || type == RefreshType.COMPLETE;
        complete = false;
        writer.begin();
        if (all) {
            writer.clear();
        }
        for (int y = 0; y < size.getRows(); y++) {
            for (int x = 0; x < size.getColumns(); x++) {
                TextCharacter cell = getBackBuffer().getCharacterAt(x, y);
                if (!all && cell.equals(getFrontBuffer().getCharacterAt(x, y))) {
                    continue;
                }
                getFrontBuffer().setCharacterAt(x, y, cell);
                char c = cell.getCharacterString().charAt(0);
                if (c != CONTINUATION) {
                    writer.cell(x, y, clusters.text(c), style(cell));
                }
            }
        }
        sink.write(writer.end(caretX, caretY));
    }

    private TextCharacter character(String text, Style style) {
        char c;
        if (text.isEmpty()) {
            c = CONTINUATION;
        } else if (text.length() == 1 && CellWidth.of(text) == 1 && !isPrivate(text.charAt(0))) {
            c = text.charAt(0);
        } else {
            c = clusters.standIn(text);
        }
        TextCharacter cell = TextCharacter.DEFAULT_CHARACTER
                .withCharacter(c)
                .withForegroundColor(color(style.foreground()))
                .withBackgroundColor(color(style.background()));
        // One by one: Lanterna's withModifiers compares its argument with itself and changes nothing.
        for (int i = 0; i < ATTRIBUTES.length; i++) {
            if ((style.attributes() & ATTRIBUTES[i]) != 0) {
                cell = cell.withModifier(MODIFIERS[i]);
            }
        }
        return cell;
    }

    private static boolean isPrivate(char c) {
        return c >= '\ue000' && c <= '\uf8ff';
    }

    private static TextColor color(int rgb) {
        return rgb == Style.DEFAULT ? TextColor.ANSI.DEFAULT : new TextColor.RGB(rgb >> 16 & 255, rgb >> 8 & 255, rgb & 255);
    }

    private static Style style(TextCharacter cell) {
        EnumSet<SGR> modifiers = cell.getModifiers();
        int attributes = 0;
        for (int i = 0; i < ATTRIBUTES.length; i++) {
            attributes |= modifiers.contains(MODIFIERS[i]) ? ATTRIBUTES[i] : 0;
        }
        return new Style(rgb(cell.getForegroundColor()), rgb(cell.getBackgroundColor()), attributes);
    }

    private static int rgb(TextColor color) {
        return color == TextColor.ANSI.DEFAULT ? Style.DEFAULT : color.getRed() << 16 | color.getGreen() << 8 | color.getBlue();
    }
}
