package kiln.runtime.upscale;

import kiln.runtime.image.Picture;
import kiln.runtime.image.PictureResize;

/** How A1111 reaches a size with an upscaler, whatever that is. */
public final class Enlarging {
    private static final int MOST_TIMES = 3;
    private static final int MULTIPLE = 8;

    private Enlarging() {}

    /** An upscaler used once. */
    @FunctionalInterface
    public interface Once {
        /** @param scale that is wanted in the end; a network knows but its own */
        Picture of(Picture picture, double scale);
    }

    /** The upscaler again and again, three times at most, until both sides are long enough, then Lanczos to a multiple of 8 pixels. */
    public static Picture by(Picture picture, double scale, Once upscaler) {
        int width = (int) Math.max(MULTIPLE, Math.floor(picture.width() * scale / MULTIPLE) * MULTIPLE);
        int height = (int) Math.max(MULTIPLE, Math.floor(picture.height() * scale / MULTIPLE) * MULTIPLE);
        Picture result = picture;
        for (int i = 0; i < MOST_TIMES; i++) {
            boolean large = result.width() >= width && result.height() >= height;
            if (large && (i > 0 || scale >= 1)) {
                break;
            }
            Picture larger = upscaler.of(result, scale);
            boolean same = larger.width() == result.width() && larger.height() == result.height();
            result = larger;
            if (same) {
                break;
            }
        }
        return resized(result, width, height);
    }

    /** That size in any proportions, as a second pass begins with it: the upscaler where a side grows, then Lanczos. */
    public static Picture to(Picture picture, int width, int height, Once upscaler) {
        double scale = Math.max((double) width / picture.width(), (double) height / picture.height());
        return resized(scale > 1 ? by(picture, scale, upscaler) : picture, width, height);
    }

    /** The middle of a picture in a size; black where it is smaller. */
    public static Picture cropped(Picture picture, int width, int height) {
        int left = width / 2 - picture.width() / 2;
        int top = height / 2 - picture.height() / 2;
        byte[] rgb = new byte[3 * width * height];
        int first = Math.max(0, left);
        int pixels = Math.min(width, left + picture.width()) - first;
        for (int y = Math.max(0, top); y < Math.min(height, top + picture.height()); y++) {
            System.arraycopy(picture.rgb(), 3 * ((y - top) * picture.width() + first - left), rgb, 3 * (y * width + first), 3 * pixels);
        }
        return new Picture(width, height, rgb);
    }

    public static Picture lanczos(Picture picture, double scale) {
        return resized(picture, scaled(picture.width(), scale), scaled(picture.height(), scale));
    }

    public static Picture nearest(Picture picture, double scale) {
        int width = scaled(picture.width(), scale);
        int height = scaled(picture.height(), scale);
        byte[] rgb = new byte[3 * width * height];
        for (int y = 0; y < height; y++) {
            int row = source(y, picture.height(), height) * picture.width();
            for (int x = 0; x < width; x++) {
                System.arraycopy(picture.rgb(), 3 * (row + source(x, picture.width(), width)), rgb, 3 * (y * width + x), 3);
            }
        }
        return new Picture(width, height, rgb);
    }

    /** The pixel in whose square the middle of the larger picture's pixel lies. */
    private static int source(int place, int from, int to) {
        return Math.min(from - 1, (int) ((place + 0.5) * from / to));
    }

    private static int scaled(int side, double scale) {
        return Math.max(1, (int) (side * scale));
    }

    private static Picture resized(Picture picture, int width, int height) {
        return picture.width() == width && picture.height() == height ? picture : PictureResize.lanczos(picture, width, height);
    }
}
