package kiln.runtime.image;

/** Pixels from ({@code left}, {@code top}) to before ({@code right}, {@code bottom}). */
public record Box(int left, int top, int right, int bottom) {
    public Box {
        if (left < 0 || top < 0 || right <= left || bottom <= top) {
            throw new IllegalArgumentException("box " + left + "," + top + " to " + right + "," + bottom);
        }
    }

    public int width() {
        return right - left;
    }

    public int height() {
        return bottom - top;
    }

    /** Larger by so many pixels on each side, as far as a picture of that size goes. */
    public Box padded(int pixels, int pictureWidth, int pictureHeight) {
        return new Box(
                Math.max(left - pixels, 0),
                Math.max(top - pixels, 0),
                Math.min(right + pixels, pictureWidth),
                Math.min(bottom + pixels, pictureHeight));
    }

    /**
     * As much wider or higher, on both sides alike where the picture has room, as the proportions want; as far as the picture goes.
     *
     * @param width with {@code height} the proportions
     */
    public Box withProportions(int width, int height, int pictureWidth, int pictureHeight) {
        double wanted = (double) width / height;
        if ((double) width() / height() > wanted) {
            int[] rows = grown(top, bottom, (int) (width() / wanted - height()), pictureHeight);
            return new Box(left, rows[0], right, rows[1]);
        }
        int[] columns = grown(left, right, (int) (height() * wanted - width()), pictureWidth);
        return new Box(columns[0], top, columns[1], bottom);
    }

    private static int[] grown(int from, int to, int by, int most) {
        int first = from - by / 2;
        int end = to + by - by / 2;
        if (end >= most) {
            first -= end - most;
            end = most;
        }
        if (first < 0) {
            end = Math.min(end - first, most);
            first = 0;
        }
        return new int[] {first, end};
    }

    /** What of a picture lies in it. */
    public Picture cut(Picture picture) {
        byte[] rgb = new byte[3 * width() * height()];
        for (int y = 0; y < height(); y++) {
            System.arraycopy(picture.rgb(), 3 * ((top + y) * picture.width() + left), rgb, 3 * y * width(), 3 * width());
        }
        return new Picture(width(), height(), rgb);
    }
}
