package kiln.tui.cli.base;

import java.util.Locale;
import kiln.runtime.base.ByteSize;

/** Numbers as people read them. */
public final class Quantities {
    private Quantities() {}

    /** "27.3 MiB". */
    public static String bytes(long bytes) {
        return ByteSize.format(bytes);
    }

    /** "1 tensor", "3 tensors". */
    public static String count(long number, String noun) {
        return String.format(Locale.ROOT, "%,d %s%s", number, noun, number == 1 ? "" : "s").replace(',', ' ');
    }

    /** One line, at most {@code most} characters, without control characters: what a file says must not move the cursor. */
    public static String printable(String text, int most) {
        StringBuilder line = new StringBuilder();
        text.codePoints().limit(most).forEach(c -> line.appendCodePoint(Character.isISOControl(c) ? ' ' : c));
        return text.codePointCount(0, text.length()) > most ? line + "…" : line.toString();
    }
}
