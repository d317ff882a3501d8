package kiln.tui.picture;

import kiln.runtime.image.Picture;
import kiln.tui.output.Canvas;
import kiln.tui.output.Style;

/** Draws a picture in a rectangle of cells, centred, at its own aspect: two pixels a cell, or shades of text where there is no colour. */
public final class CellPicture {
    private static final String SHADES = " .:-=+*#%@";
    private static final String UPPER_HALF = "▀";

    /** The last scaled picture: most frames show the same one. */
    private Picture source;

    private Picture scaled;

    /**
     * @param width the picture's final width in pixels: a small preview is shown as large as what it will become (as for {@code height})
     */
    public void draw(Canvas canvas, int x, int y, int columns, int rows, Picture picture, int width, int height, boolean color) {
        if (columns < 1 || rows < 1) {
            return;
        }
        // A cell is about twice as high as wide, so half a cell is square.
        double zoom = Math.min((double) columns / width, 2.0 * rows / height);
        int shownWidth = Math.max(1, Math.min(columns, (int) Math.round(width * zoom)));
        int shownHeight = Math.max(2, Math.min(2 * rows, (int) Math.round(height * zoom / 2) * 2));
        Picture pixels = scale(picture, shownWidth, shownHeight);
        int left = x + (columns - shownWidth) / 2;
        int top = y + (rows - shownHeight / 2) / 2;
        for (int row = 0; row < shownHeight / 2; row++) {
            for (int column = 0; column < shownWidth; column++) {
                int upper = pixels.pixel(column, 2 * row);
                int lower = pixels.pixel(column, 2 * row + 1);
                if (color) {
                    canvas.put(left + column, top + row, UPPER_HALF, 1, new Style(upper, lower, 0));
                } else {
                    int shade = (luminance(upper) + luminance(lower)) * SHADES.length() / 512;
                    canvas.put(left + column, top + row, SHADES.substring(shade, shade + 1), 1, Style.PLAIN);
                }
            }
        }
    }

    private Picture scale(Picture picture, int width, int height) {
        if (picture != source || scaled.width() != width || scaled.height() != height) {
            scaled = Scaler.scale(picture, width, height);
            source = picture;
        }
        return scaled;
    }

    /** Rec. 709, 0…255. */
    private static int luminance(int rgb) {
        return (54 * (rgb >> 16 & 255) + 183 * (rgb >> 8 & 255) + 18 * (rgb & 255)) >> 8;
    }
}
