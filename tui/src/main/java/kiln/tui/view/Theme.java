package kiln.tui.view;

import java.util.Locale;
import java.util.Map;
import kiln.tui.output.ColorDepth;
import kiln.tui.output.Style;

/**
 * Looks and line-drawing characters. One accent colour; nothing is told by colour alone.
 *
 * @param pictures whether half blocks in colour can be shown
 * @param box corners ╭╮╰╯, lines ─│ and tees ├┤, eight characters
 */
record Theme(boolean pictures, String box, String focusMark, String eighths) {
    private static final int KILN_ORANGE = 0xe39a3b;

    /** @param locale of the terminal where the start script changed the environment's, else {@code null} */
    static Theme of(Map<String, String> environment, String locale, ColorDepth depth) {
        boolean unicode = isUtf8(environment, locale);
        return new Theme(
                unicode && depth != ColorDepth.MONO,
                unicode ? "╭╮╰╯─│├┤" : "++++-|++",
                unicode ? "▌" : ">",
                unicode ? " ▏▎▍▌▋▊▉█" : "         #".substring(1));
    }

    /** By the locale as C programs resolve it; where nobody set one, as in bare containers, UTF-8 is taken for granted. */
    private static boolean isUtf8(Map<String, String> environment, String locale) {
        String language = environment.getOrDefault("LANG", "");
        String value = locale;
        for (String name : new String[] {"LC_ALL", "LC_CTYPE", "LANG"}) {
            if (value == null || value.isEmpty()) {
                value = environment.getOrDefault(name, "");
            }
        }
        String folded = value.toLowerCase(Locale.ROOT);
        return folded.contains("utf-8") || folded.contains("utf8") || language.isEmpty() && (folded.isEmpty() || folded.equals("c"));
    }

    String box(int index) {
        return box.substring(index, index + 1);
    }

    Style plain() {
        return Style.PLAIN;
    }

    Style dim() {
        return Style.PLAIN.with(Style.DIM);
    }

    Style bold() {
        return Style.PLAIN.with(Style.BOLD);
    }

    Style accent() {
        return Style.PLAIN.color(KILN_ORANGE);
    }

    Style strong() {
        return accent().with(Style.BOLD);
    }

    Style chosen() {
        return Style.PLAIN.with(Style.REVERSE);
    }
}
