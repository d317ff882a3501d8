package kiln.runtime.upscale;

import java.util.ArrayList;
import java.util.List;
import kiln.runtime.image.Picture;

/**
 * Squares that cover a picture, and the larger picture put together from what became of them, as A1111 does both: squares stand evenly, and
 * each is faded in over {@code overlap} pixels at its left and upper edge. A picture smaller than a square lies in its lower right corner,
 * on black.
 *
 * @param columns x of the left edges; may be negative
 * @param rows y of the upper edges
 */
record TileGrid(int width, int height, int side, int overlap, List<Integer> columns, List<Integer> rows) {
    static TileGrid of(int width, int height, int side, int overlap) {
        return new TileGrid(width, height, side, overlap, edges(width, side, overlap), edges(height, side, overlap));
    }

    private static List<Integer> edges(int length, int side, int overlap) {
        int count = Math.max(1, -Math.floorDiv(overlap - length, side - overlap));
        double step = count > 1 ? (double) (length - side) / (count - 1) : 0;
        List<Integer> edges = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int edge = (int) (i * step);
            edges.add(edge + side >= length ? length - side : edge);
        }
        return edges;
    }

    int count() {
        return columns.size() * rows.size();
    }

    /** The square at (x, y), black where it lies outside. */
    Picture tile(Picture picture, int x, int y) {
        byte[] rgb = new byte[3 * side * side];
        int left = Math.max(0, -x);
        int pixels = Math.min(side, width - x) - left;
        for (int row = Math.max(0, -y); row < Math.min(side, height - y); row++) {
            System.arraycopy(picture.rgb(), 3 * ((y + row) * width + x + left), rgb, 3 * (row * side + left), 3 * pixels);
        }
        return new Picture(side, side, rgb);
    }

    /** What becomes of a square. */
    @FunctionalInterface
    interface Enlargement {
        Picture of(Picture tile);
    }

    /** The picture from its squares, each {@code scale} times larger. No more than a row of them is kept besides. */
    Picture enlarged(Picture picture, int scale, Enlargement enlargement) {
        Canvas whole = new Canvas(scale * width, scale * height);
        Canvas row = new Canvas(scale * width, scale * side);
        for (int y : rows) {
            for (int x : columns) {
                row.paste(enlargement.of(tile(picture, x, y)), scale * x, 0, x == 0 ? 0 : scale * overlap, 0);
            }
            whole.paste(new Picture(row.width, row.height, row.rgb), 0, scale * y, 0, y == 0 ? 0 : scale * overlap);
        }
        return new Picture(whole.width, whole.height, whole.rgb);
    }

    private static final class Canvas {
        private final int width;
        private final int height;
        private final byte[] rgb;

        Canvas(int width, int height) {
            this.width = width;
            this.height = height;
            rgb = new byte[Math.multiplyExact(3, Math.multiplyExact(width, height))];
        }

        /** Puts a picture at (x, y), faded in from its left and upper edge over so many pixels; what stands out is cut off. */
        void paste(Picture picture, int x, int y, int fadeX, int fadeY) {
            for (int row = Math.max(0, -y); row < Math.min(picture.height(), height - y); row++) {
                for (int column = Math.max(0, -x); column < Math.min(picture.width(), width - x); column++) {
                    int weight = Math.min(weight(column, fadeX), weight(row, fadeY));
                    int from = 3 * (row * picture.width() + column);
                    int to = 3 * ((y + row) * width + x + column);
                    for (int colour = 0; colour < 3; colour++) {
                        rgb[to + colour] = (byte) blend(picture.rgb()[from + colour] & 255, rgb[to + colour] & 255, weight);
                    }
                }
            }
        }

        private static int weight(int place, int fade) {
            return place < fade ? (int) (place * 255f / fade) : 255;
        }

        /** In 255ths, rounded as Pillow does. */
        private static int blend(int above, int below, int weight) {
            int sum = above * weight + below * (255 - weight) + 128;
            return (sum >> 8) + sum >> 8;
        }
    }
}
