package kiln.tui.output;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import kiln.tui.text.CellWidth;

/**
 * Cells as the bytes of one frame, inside synchronised output (mode 2026): the cursor moves only where the next cell is not where the
 * last one left it, and all changes of colour and attribute between two cells are one sequence.
 */
public final class AnsiWriter {
    private final ColorDepth depth;
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream(1 << 14);
    private Style current;
    private int cursorX = -1;
    private int cursorY = -1;

    public AnsiWriter(ColorDepth depth) {
        this.depth = Objects.requireNonNull(depth, "depth");
    }

    /** Begins a frame; the cursor is hidden until its end. */
    public void begin() {
        bytes.reset();
        raw("\u001b[?2026h\u001b[?25l");
        current = null;
        cursorX = -1;
        cursorY = -1;
    }

    /** Clears the whole screen. */
    public void clear() {
        raw("\u001b[0m\u001b[2J");
        current = Style.PLAIN;
    }

    public void cell(int x, int y, String cluster, Style style) {
        if (x != cursorX || y != cursorY) {
            if (y == cursorY && x > cursorX && cursorX >= 0) {
                raw(x - cursorX == 1 ? "\u001b[C" : "\u001b[" + (x - cursorX) + "C");
            } else {
                raw("\u001b[" + (y + 1) + ";" + (x + 1) + "H");
            }
        }
        style(style);
        raw(cluster);
        // Terminals disagree on the width of anything that is not plain: find the place anew after it.
        boolean certain = cluster.length() == 1 && CellWidth.of(cluster) == 1;
        cursorX = certain ? x + 1 : -1;
        cursorY = certain ? y : -1;
    }

    /** Ends the frame; a negative {@code caretX} leaves the cursor hidden. Answers all its bytes. */
    public byte[] end(int caretX, int caretY) {
        raw("\u001b[0m");
        if (caretX >= 0) {
            raw("\u001b[" + (caretY + 1) + ";" + (caretX + 1) + "H\u001b[?25h");
        }
        raw("\u001b[?2026l");
        return bytes.toByteArray();
    }

    private void style(Style style) {
        if (style.equals(current)) {
            return;
        }
        StringBuilder codes = new StringBuilder();
        boolean fresh = current == null || (current.attributes() & ~style.attributes()) != 0;
        if (fresh) {
            codes.append(";0");
        }
        Style from = fresh ? Style.PLAIN : current;
        int added = style.attributes() & ~from.attributes();
        if ((added & Style.BOLD) != 0) {
            codes.append(";1");
        }
        if ((added & Style.DIM) != 0) {
            codes.append(";2");
        }
        if ((added & Style.UNDERLINE) != 0) {
            codes.append(";4");
        }
        if ((added & Style.REVERSE) != 0) {
            codes.append(";7");
        }
        if (style.foreground() != from.foreground()) {
            codes.append(color(style.foreground(), 38));
        }
        if (style.background() != from.background()) {
            codes.append(color(style.background(), 48));
        }
        if (codes.length() > 0) {
            raw("\u001b[" + codes.substring(1) + "m");
        }
        current = style;
    }

    private String color(int rgb, int kind) {
        if (depth == ColorDepth.MONO) {
            return "";
        }
        if (rgb == Style.DEFAULT) {
            return ";" + (kind + 1);
        }
        if (depth == ColorDepth.TRUECOLOR) {
            return ";" + kind + ";2;" + (rgb >> 16 & 255) + ";" + (rgb >> 8 & 255) + ";" + (rgb & 255);
        }
        if (depth == ColorDepth.INDEXED256) {
            return ";" + kind + ";5;" + Palette.indexed(rgb);
        }
        int index = Palette.ansi(rgb);
        int bright = index < 8 ? kind - 8 : kind + 52;
        return ";" + (bright + index % 8);
    }

    private void raw(String text) {
        bytes.writeBytes(text.getBytes(StandardCharsets.UTF_8));
    }
}
