package kiln.tui.output;

/**
 * How a cell looks.
 *
 * @param foreground 0xRRGGBB, or {@link #DEFAULT} for the terminal's own (as is {@code background})
 * @param attributes a sum of {@link #BOLD}, {@link #DIM}, {@link #UNDERLINE} and {@link #REVERSE}
 */
public record Style(int foreground, int background, int attributes) {
    public static final int DEFAULT = -1;
    public static final int BOLD = 1;
    public static final int DIM = 2;
    public static final int UNDERLINE = 4;
    public static final int REVERSE = 8;

    public static final Style PLAIN = new Style(DEFAULT, DEFAULT, 0);

    public Style with(int attribute) {
        return new Style(foreground, background, attributes | attribute);
    }

    public Style on(int rgb) {
        return new Style(foreground, rgb, attributes);
    }

    public Style color(int rgb) {
        return new Style(rgb, background, attributes);
    }
}
