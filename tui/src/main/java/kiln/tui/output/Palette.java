package kiln.tui.output;

/** The nearest colour that a poorer terminal has. */
public final class Palette {
    private static final int[] LEVELS = {0, 95, 135, 175, 215, 255};
    /** xterm's shades of the sixteen. */
    private static final int[] ANSI = {
        0x000000, 0xcd0000, 0x00cd00, 0xcdcd00, 0x0000ee, 0xcd00cd, 0x00cdcd, 0xe5e5e5,
        0x7f7f7f, 0xff0000, 0x00ff00, 0xffff00, 0x5c5cff, 0xff00ff, 0x00ffff, 0xffffff
    };

    private Palette() {}

    /** Index 16…255 for 0xRRGGBB; the first sixteen are the user's own and never used. */
    public static int indexed(int rgb) {
        int r = level(rgb >> 16 & 255);
        int g = level(rgb >> 8 & 255);
        int b = level(rgb & 255);
        int cube = LEVELS[r] << 16 | LEVELS[g] << 8 | LEVELS[b];
        int mean = ((rgb >> 16 & 255) + (rgb >> 8 & 255) + (rgb & 255)) / 3;
        int step = Math.max(0, Math.min(23, (mean - 3) / 10));
        int grey = (8 + 10 * step) * 0x010101;
        return distance(rgb, grey) < distance(rgb, cube) ? 232 + step : 16 + 36 * r + 6 * g + b;
    }

    /** Index 0…15 for 0xRRGGBB. */
    public static int ansi(int rgb) {
        int best = 0;
        for (int i = 1; i < ANSI.length; i++) {
            if (distance(rgb, ANSI[i]) < distance(rgb, ANSI[best])) {
                best = i;
            }
        }
        return best;
    }

    private static int level(int value) {
        return value < 48 ? 0 : value < 115 ? 1 : (value - 35) / 40;
    }

    private static int distance(int a, int b) {
        int r = (a >> 16 & 255) - (b >> 16 & 255);
        int g = (a >> 8 & 255) - (b >> 8 & 255);
        int c = (a & 255) - (b & 255);
        return 2 * r * r + 4 * g * g + 3 * c * c;
    }
}
