package kiln.tui.output;

import java.util.Locale;
import java.util.Map;

/** How many colours the terminal shows, poorest first. */
public enum ColorDepth {
    /** Attributes only. */
    MONO,
    /** The sixteen of ANSI, in whatever shade the user's theme gives them. */
    ANSI16,
    /** xterm's 256: a cube of 6×6×6 and a ramp of greys. */
    INDEXED256,
    TRUECOLOR;

    /** What the environment promises; {@code NO_COLOR} counts before all else. */
    public static ColorDepth of(Map<String, String> environment) {
        if (!environment.getOrDefault("NO_COLOR", "").isEmpty()) {
            return MONO;
        }
        String term = environment.getOrDefault("TERM", "").toLowerCase(Locale.ROOT);
        String colorterm = environment.getOrDefault("COLORTERM", "").toLowerCase(Locale.ROOT);
        if (term.isEmpty() || term.equals("dumb") || term.startsWith("vt1") || term.startsWith("vt2")) {
            return MONO;
        }
        if (colorterm.equals("truecolor") || colorterm.equals("24bit") || term.endsWith("-direct")) {
            // screen before version 5 passes the variable on and cannot show it.
            return term.startsWith("screen") && !environment.containsKey("TMUX") ? INDEXED256 : TRUECOLOR;
        }
        if (term.contains("kitty") || term.contains("ghostty") || term.contains("alacritty") || term.contains("foot")) {
            return TRUECOLOR;
        }
        return term.contains("256") ? INDEXED256 : ANSI16;
    }
}
