package kiln.runtime.image;

import java.util.ArrayList;
import java.util.List;

/** Many pictures in one, row by row, with captions above its columns and beside its rows where they are wanted: A1111's grids. Stateless. */
public final class PictureGrid {
    /** Whole grids in bytes have to fit into an array. */
    private static final long MOST_PIXELS = Integer.MAX_VALUE / 3;

    /**
     * A line of a caption.
     *
     * @param active one that is not is grey and struck through
     */
    public record Caption(String text, boolean active) {}

    /**
     * Colours as 0xRRGGBB.
     *
     * @param background between and behind pictures
     */
    public record Colours(int background, int active, int inactive) {
        public static final Colours USUAL = new Colours(0xffffff, 0x000000, 0x999999);
    }

    private PictureGrid() {}

    /**
     * How many rows {@code count} pictures get.
     *
     * @param asked above 0 that many, 0 one for each batch, -1 as many as make it square
     * @param noEmptyPlaces whether a square may become longer for the sake of places that are all filled
     */
    public static int rows(int count, int batchSize, int asked, boolean noEmptyPlaces) {
        int rows;
        if (asked > 0) {
            rows = asked;
        } else if (asked == 0) {
            rows = batchSize;
        } else if (noEmptyPlaces) {
            rows = (int) Math.sqrt(count);
            while (count % rows != 0) {
                rows--;
            }
        } else {
            rows = (int) Math.rint(Math.sqrt(count));
        }
        return Math.min(rows, count);
    }

    /** All pictures in that many rows, each in the middle of a place for the largest; {@code null} leaves a place empty. */
    public static Picture of(List<Picture> pictures, int rows, Colours colours) {
        return captioned(pictures, rows, List.of(), List.of(), 0, colours);
    }

    /**
     * The same with captions.
     *
     * @param columns a caption above each column, none for no captions; a caption's lines are wrapped to a picture's width
     * @param beside the same for each row, wrapped to three quarters of it
     * @param margin in pixels between the pictures
     * @throws IllegalArgumentException when the grid would be too large for memory
     */
    public static Picture captioned(
            List<Picture> pictures, int rows, List<List<Caption>> columns, List<List<Caption>> beside, int margin, Colours colours) {
        int across = (pictures.size() + rows - 1) / rows;
        int cellWidth = pictures.stream().filter(picture -> picture != null).mapToInt(Picture::width).max().orElse(1);
        int cellHeight = pictures.stream().filter(picture -> picture != null).mapToInt(Picture::height).max().orElse(1);
        boolean captions = isAny(columns) || isAny(beside);
        CaptionFont font = captions ? CaptionFont.load() : null;
        int size = Math.max(1, (cellWidth + cellHeight) / 25);
        int left = isAny(beside) ? cellWidth * 3 / 4 : 0;
        List<List<Line>> above = isAny(columns) ? wrapped(columns, font, size, cellWidth) : List.of();
        List<List<Line>> side = isAny(beside) ? wrapped(beside, font, size, left) : List.of();
        int top = above.stream().mapToInt(lines -> height(lines, size)).max().orElse(-size) + size;
        long width = left + (long) across * cellWidth + (long) margin * (across - 1);
        long height = top + (long) rows * cellHeight + (long) margin * (rows - 1);
        if (width * height > MOST_PIXELS) {
            throw new IllegalArgumentException("a grid of " + width + "x" + height + " is too large");
        }
        byte[] rgb = new byte[(int) (3 * width * height)];
        fill(rgb, 0, rgb.length, colours.background);
        for (int i = 0; i < pictures.size(); i++) {
            Picture picture = pictures.get(i);
            if (picture != null) {
                int x = left + i % across * (cellWidth + margin) + (cellWidth - picture.width()) / 2;
                int y = top + i / across * (cellHeight + margin) + (cellHeight - picture.height()) / 2;
                for (int row = 0; row < picture.height(); row++) {
                    System.arraycopy(
                            picture.rgb(), 3 * row * picture.width(), rgb, (int) (3 * ((y + row) * width + x)), 3 * picture.width());
                }
            }
        }
        Canvas canvas = new Canvas(rgb, (int) width, (int) height, font, size, colours);
        for (int i = 0; i < above.size(); i++) {
            double middle = left + i * (cellWidth + margin) + cellWidth / 2.0;
            canvas.draw(above.get(i), middle, (top - height(above.get(i), size)) / 2.0, cellWidth);
        }
        for (int i = 0; i < side.size(); i++) {
            double middle = top + i * (cellHeight + margin) + cellHeight / 2.0;
            canvas.draw(side.get(i), left / 2.0, middle - height(side.get(i), size) / 2.0, left);
        }
        return new Picture((int) width, (int) height, rgb);
    }

    private static boolean isAny(List<List<Caption>> captions) {
        return captions.stream().flatMap(List::stream).anyMatch(caption -> !caption.text().isBlank());
    }

    private record Line(String text, boolean active) {}

    private static List<List<Line>> wrapped(List<List<Caption>> captions, CaptionFont font, int size, int width) {
        List<List<Line>> all = new ArrayList<>();
        for (List<Caption> caption : captions) {
            List<Line> lines = new ArrayList<>();
            caption.forEach(part -> font.wrap(part.text(), size, width).forEach(text -> lines.add(new Line(text, part.active()))));
            all.add(lines);
        }
        return all;
    }

    /** Half a line between two of them. */
    private static int height(List<Line> lines, int size) {
        return lines.size() * (size + size / 2) - size / 2;
    }

    private static void fill(byte[] rgb, int from, int to, int colour) {
        for (int at = from; at < to; at += 3) {
            rgb[at] = (byte) (colour >> 16);
            rgb[at + 1] = (byte) (colour >> 8);
            rgb[at + 2] = (byte) colour;
        }
    }

    /** Where captions are drawn. */
    private record Canvas(byte[] rgb, int width, int height, CaptionFont font, int size, Colours colours) {
        private static final int STRIKE = 4;

        void draw(List<Line> lines, double middleX, double top, int room) {
            double middleY = top + size / 2.0;
            for (Line line : lines) {
                int fitting = size;
                while (fitting > 1 && font.width(line.text, fitting) > room) {
                    fitting--;
                }
                int colour = line.active ? colours.active : colours.inactive;
                if (!line.text.isEmpty()) {
                    font.draw(line.text, fitting, middleX, middleY, colour, rgb, width, height);
                    if (!line.active) {
                        strike(middleX, middleY, font.width(line.text, fitting), colour);
                    }
                }
                middleY += size + size / 2;
            }
        }

        private void strike(double middleX, double middleY, double length, int colour) {
            int from = (int) Math.max(0, Math.round(middleX - length / 2));
            int to = (int) Math.min(width, Math.round(middleX + length / 2));
            int first = (int) Math.round(middleY) - STRIKE / 2;
            for (int y = Math.max(0, first); y < Math.min(height, first + STRIKE); y++) {
                fill(rgb, 3 * (y * width + from), 3 * (y * width + to), colour);
            }
        }
    }
}
