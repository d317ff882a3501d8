package kiln.runtime.upscale;

import kiln.runtime.base.KilnException;
import kiln.runtime.base.KilnException.Category;
import kiln.runtime.image.Picture;

/**
 * From pixels to a network's numbers and back. Networks see blue first, as A1111 shows pictures to them, from 0 to 1, channels innermost; a
 * square of pixels lies colour by colour, as torch's {@code pixel_unshuffle} has it.
 */
final class PixelBlocks {
    private static final int COLOURS = 3;

    private PixelBlocks() {}

    /**
     * The picture with squares of {@code joined} by {@code joined} pixels put together; sides that do not part evenly are mirrored at the
     * right and below, the last pixel not twice.
     */
    static float[] joined(Picture picture, int joined) {
        int width = blocks(picture.width(), joined);
        int height = blocks(picture.height(), joined);
        int square = joined * joined;
        float[] values = new float[COLOURS * square * width * height];
        for (int y = 0; y < height * joined; y++) {
            int fromY = mirrored(y, picture.height());
            for (int x = 0; x < width * joined; x++) {
                int from = COLOURS * (fromY * picture.width() + mirrored(x, picture.width()));
                int to = (y / joined * width + x / joined) * COLOURS * square + y % joined * joined + x % joined;
                for (int colour = 0; colour < COLOURS; colour++) {
                    values[to + colour * square] = (picture.rgb()[from + 2 - colour] & 255) / 255f;
                }
            }
        }
        return values;
    }

    static int blocks(int pixels, int joined) {
        return (pixels + joined - 1) / joined;
    }

    private static int mirrored(int place, int length) {
        return place < length ? place : Math.max(0, 2 * (length - 1) - place);
    }

    /**
     * Writes rows of a result into a picture's bytes.
     *
     * @param values {@code [rows, width, 3·spread²]}; {@code width} may be more than the picture needs
     * @param firstRow of the values that is used
     * @param base whose pixels are added, each over a square of {@code spread}; {@code null} for none
     * @param y of the picture's first row that is written, and so many of them
     */
    static void write(float[] values, int width, int spread, int firstRow, Picture base, byte[] rgb, int pictureWidth, int y, int rows) {
        int square = spread * spread;
        for (int row = y; row < y + rows; row++) {
            int line = (row - y) / spread + firstRow;
            for (int x = 0; x < pictureWidth; x++) {
                int from = (line * width + x / spread) * COLOURS * square + row % spread * spread + x % spread;
                for (int colour = 0; colour < COLOURS; colour++) {
                    float value = values[from + colour * square];
                    if (base != null) {
                        value += (base.rgb()[COLOURS * (row / spread * base.width() + x / spread) + 2 - colour] & 255) / 255f;
                    }
                    rgb[COLOURS * (row * pictureWidth + x) + 2 - colour] = toByte(value);
                }
            }
        }
    }

    private static byte toByte(float value) {
        if (Float.isNaN(value)) {
            throw new KilnException(
                    Category.DEVICE,
                    "the upscaler gave values that are not numbers: its file is damaged, or the picture needs f32 precision");
        }
        return (byte) (int) Math.rint(Math.max(0, Math.min(1, value)) * 255f);
    }
}
