package kiln.runtime.image;

import java.util.Objects;

/**
 * An 8-bit RGB picture, row by row from the top, three bytes a pixel. The array is shared, not copied: do not write to it.
 */
public record Picture(int width, int height, byte[] rgb) {
    public Picture {
        Objects.requireNonNull(rgb, "rgb");
        if (width < 1 || height < 1 || rgb.length != 3L * width * height) {
            throw new IllegalArgumentException(
                    "a picture of " + width + "x" + height + " needs " + 3L * width * height + " bytes, found " + rgb.length);
        }
    }

    /** The pixel at ({@code x}, {@code y}) as 0xRRGGBB. */
    public int pixel(int x, int y) {
        int at = 3 * (Objects.checkIndex(y, height) * width + Objects.checkIndex(x, width));
        return (rgb[at] & 255) << 16 | (rgb[at + 1] & 255) << 8 | rgb[at + 2] & 255;
    }
}
