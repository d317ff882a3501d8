package kiln.runtime.image;

/** A picture with transparency that is laid over others, in Pillow's 8-bit arithmetic, whose every pixel these are. Immutable. */
public final class Layer {
    /** By which a mask's place is blurred on its way to a fill, and how often each is laid on: A1111's. */
    private static final int[][] FILL_RADII = {{256, 1}, {64, 1}, {16, 2}, {4, 4}, {2, 2}, {0, 1}};

    private final int width;
    private final int height;
    private final byte[] rgba;

    private Layer(int width, int height, byte[] rgba) {
        this.width = width;
        this.height = height;
        this.rgba = rgba;
    }

    /** The picture without what the mask, which has its size, is white on. */
    public static Layer unmasked(Picture picture, GreyPicture mask) {
        byte[] seen = premultiplied(picture, mask);
        divide(seen);
        return new Layer(picture.width(), picture.height(), seen);
    }

    /** What a mask is white on, filled with blurred surroundings. */
    public static Picture filled(Picture picture, GreyPicture mask) {
        byte[] seen = premultiplied(picture, mask);
        byte[] result = new byte[seen.length];
        for (int[] radius : FILL_RADII) {
            byte[] blurred = seen.clone();
            BoxBlur.blur(blurred, picture.width(), picture.height(), 4, radius[0]);
            divide(blurred);
            for (int i = 0; i < radius[1]; i++) {
                lay(blurred, result);
            }
        }
        return opaque(picture.width(), picture.height(), result);
    }

    /** Laid over a picture of the same size. */
    public Picture over(Picture below) {
        return over(below, new Box(0, 0, width, height));
    }

    /** Laid over a picture that fills only {@code place}; around it there is nothing. */
    public Picture over(Picture below, Box place) {
        byte[] result = new byte[rgba.length];
        for (int y = 0; y < place.height(); y++) {
            for (int x = 0; x < place.width(); x++) {
                int to = 4 * ((place.top() + y) * width + place.left() + x);
                System.arraycopy(below.rgb(), 3 * (y * below.width() + x), result, to, 3);
                result[to + 3] = (byte) 255;
            }
        }
        lay(rgba, result);
        return opaque(width, height, result);
    }

    public int width() {
        return width;
    }

    public int height() {
        return height;
    }

    private static Picture opaque(int width, int height, byte[] rgba) {
        byte[] rgb = new byte[3 * width * height];
        for (int i = 0; i < width * height; i++) {
            System.arraycopy(rgba, 4 * i, rgb, 3 * i, 3);
        }
        return new Picture(width, height, rgb);
    }

    private static byte[] premultiplied(Picture picture, GreyPicture mask) {
        byte[] rgba = new byte[4 * picture.width() * picture.height()];
        for (int i = 0; i < rgba.length / 4; i++) {
            int seen = 255 - (mask.values()[i] & 255);
            for (int colour = 0; colour < 3; colour++) {
                rgba[4 * i + colour] = (byte) by255((picture.rgb()[3 * i + colour] & 255) * seen + 128);
            }
            rgba[4 * i + 3] = (byte) seen;
        }
        return rgba;
    }

    /** From colours times opacity to colours. */
    private static void divide(byte[] rgba) {
        for (int i = 0; i < rgba.length; i += 4) {
            int alpha = rgba[i + 3] & 255;
            if (alpha != 0 && alpha != 255) {
                for (int colour = i; colour < i + 3; colour++) {
                    rgba[colour] = (byte) Math.min(255, 255 * (rgba[colour] & 255) / alpha);
                }
            }
        }
    }

    private static void lay(byte[] above, byte[] below) {
        for (int i = 0; i < above.length; i += 4) {
            int alpha = above[i + 3] & 255;
            if (alpha == 0) {
                continue;
            }
            int both = 255 * alpha + (below[i + 3] & 255) * (255 - alpha);
            int weight = alpha * 255 * 255 * 128 / both;
            int rest = 255 * 128 - weight;
            for (int colour = i; colour < i + 3; colour++) {
                int sum = (above[colour] & 255) * weight + (below[colour] & 255) * rest;
                below[colour] = (byte) (by255(sum + (128 << 7)) >> 7);
            }
            below[i + 3] = (byte) by255(both + 128);
        }
    }

    /** A rounded quotient by 255 of a number to which half of 256 was added. */
    private static int by255(int value) {
        return (value >> 8) + value >> 8;
    }
}
