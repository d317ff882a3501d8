package kiln.runtime.image;

import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * From a PNG's unpacked chunks to 8-bit colours and alpha: every colour type and depth, interlaced or not. Of 16 bits the upper eight are
 * kept, as Pillow does.
 */
final class PngPixels {
    static final int GREY = 0;
    static final int RGB = 2;
    static final int PALETTE = 3;
    static final int GREY_ALPHA = 4;
    static final int RGB_ALPHA = 6;

    /** Deflate packs at most 1032 bytes into one; a picture that claims more is false, and is refused before memory is taken for it. */
    private static final int MAX_DEFLATE_RATIO = 1032;
    /** First column, first row, then the distances of columns and rows (W3C PNG, 8.2). */
    private static final int[][] ADAM7 = {
        {0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}
    };
    private static final int[][] WHOLE = {{0, 0, 1, 1}};

    private final PngHeader header;
    private final byte[] palette;
    private final byte[] transparency;
    private final byte[] rgb;
    private final byte[] alpha;
    private final int[] keyColour;

    /** The IHDR chunk. */
    record PngHeader(int width, int height, int bitDepth, int colourType, boolean interlaced) {
        int channels() {
            return switch (colourType) {
                case GREY, PALETTE -> 1;
                case GREY_ALPHA -> 2;
                case RGB -> 3;
                default -> 4;
            };
        }

        private boolean isPossible() {
            return switch (colourType) {
                case GREY -> bitDepth == 1 || bitDepth == 2 || bitDepth == 4 || bitDepth == 8 || bitDepth == 16;
                case PALETTE -> bitDepth == 1 || bitDepth == 2 || bitDepth == 4 || bitDepth == 8;
                case RGB, GREY_ALPHA, RGB_ALPHA -> bitDepth == 8 || bitDepth == 16;
                default -> false;
            };
        }

        /** Without its filter's number. */
        private int rowBytes(int columns) {
            return (int) (((long) columns * channels() * bitDepth + 7) / 8);
        }
    }

    /**
     * @param palette of the PLTE chunk or {@code null}
     * @param transparency of the tRNS chunk, {@code null} for none
     */
    PngPixels(PngHeader header, byte[] palette, byte[] transparency, int packedBytes) throws PictureDamage {
        if (!header.isPossible()) {
            throw new PictureDamage("colour type " + header.colourType + " with " + header.bitDepth + " bits");
        }
        if (header.colourType == PALETTE && (palette == null || palette.length == 0 || palette.length % 3 != 0 || palette.length > 3 * 256)) {
            throw new PictureDamage("a missing or damaged palette");
        }
        if ((long) header.rowBytes(header.width) * header.height > (long) packedBytes * MAX_DEFLATE_RATIO) {
            throw new PictureDamage("its pixel data is too short for " + header.width + "x" + header.height);
        }
        this.header = header;
        this.palette = palette;
        this.transparency = transparency;
        keyColour = transparency == null || header.colourType == PALETTE ? null : keyColour(transparency, header.channels());
        rgb = new byte[3 * header.width * header.height];
        boolean transparent = transparency != null || header.colourType == GREY_ALPHA || header.colourType == RGB_ALPHA;
        alpha = transparent ? new byte[header.width * header.height] : null;
    }

    /** The one colour that is transparent, a 16-bit number a channel. */
    private static int[] keyColour(byte[] transparency, int channels) throws PictureDamage {
        if (transparency.length < 2 * channels) {
            throw new PictureDamage("a damaged tRNS chunk");
        }
        int[] colour = new int[channels];
        for (int c = 0; c < channels; c++) {
            colour[c] = (transparency[2 * c] & 255) << 8 | transparency[2 * c + 1] & 255;
        }
        return colour;
    }

    byte[] rgb() {
        return rgb;
    }

    /** {@code null} when everything is opaque. */
    byte[] alpha() {
        return alpha;
    }

    void decode(byte[] packed) throws PictureDamage {
        Inflater inflater = new Inflater();
        try {
            inflater.setInput(packed);
            for (int[] pass : header.interlaced ? ADAM7 : WHOLE) {
                decode(inflater, pass[0], pass[1], pass[2], pass[3]);
            }
        } catch (DataFormatException e) {
            throw new PictureDamage("its pixel data is damaged");
        } finally {
            inflater.end();
        }
    }

    private void decode(Inflater inflater, int firstX, int firstY, int stepX, int stepY) throws DataFormatException, PictureDamage {
        int columns = (header.width - firstX + stepX - 1) / stepX;
        if (columns < 1) {
            return;
        }
        int pixelBytes = Math.max(1, header.channels() * header.bitDepth / 8);
        byte[] above = new byte[header.rowBytes(columns)];
        byte[] row = new byte[above.length];
        byte[] filter = new byte[1];
        for (int y = firstY; y < header.height; y += stepY) {
            inflateFully(inflater, filter);
            inflateFully(inflater, row);
            unfilter(filter[0], row, above, pixelBytes);
            if (header.colourType == RGB && header.bitDepth == 8 && keyColour == null && stepX == 1) {
                System.arraycopy(row, 0, rgb, 3 * y * header.width, row.length);
            } else {
                for (int i = 0; i < columns; i++) {
                    put(row, i, y * header.width + firstX + i * stepX);
                }
            }
            byte[] swap = above;
            above = row;
            row = swap;
        }
    }

    private static void inflateFully(Inflater inflater, byte[] target) throws DataFormatException, PictureDamage {
        int filled = 0;
        while (filled < target.length) {
            int count = inflater.inflate(target, filled, target.length - filled);
            if (count == 0) {
                throw new PictureDamage("its pixel data ends too early");
            }
            filled += count;
        }
    }

    private static void unfilter(int type, byte[] row, byte[] above, int pixelBytes) throws PictureDamage {
        if (type < 0 || type > 4) {
            throw new PictureDamage("an unknown row filter " + type);
        }
        for (int i = 0; i < row.length; i++) {
            int left = i < pixelBytes ? 0 : row[i - pixelBytes] & 255;
            int up = above[i] & 255;
            int upLeft = i < pixelBytes ? 0 : above[i - pixelBytes] & 255;
            int predicted = switch (type) {
                case 1 -> left;
                case 2 -> up;
                case 3 -> (left + up) / 2;
                case 4 -> PngWriter.paeth(left, up, upLeft);
                default -> 0;
            };
            row[i] += (byte) predicted;
        }
    }

    /** As the file has it, with all its bits. */
    private int sample(byte[] row, int index) {
        return switch (header.bitDepth) {
            case 8 -> row[index] & 255;
            case 16 -> (row[2 * index] & 255) << 8 | row[2 * index + 1] & 255;
            default -> {
                int bit = index * header.bitDepth;
                yield (row[bit / 8] & 255) >> 8 - header.bitDepth - bit % 8 & (1 << header.bitDepth) - 1;
            }
        };
    }

    private byte eightBits(int sample) {
        return (byte) (header.bitDepth == 16 ? sample >> 8 : sample * 255 / ((1 << header.bitDepth) - 1));
    }

    private void put(byte[] row, int column, int pixel) throws PictureDamage {
        int channels = header.channels();
        int first = sample(row, column * channels);
        if (header.colourType == PALETTE) {
            if (3 * first >= palette.length) {
                throw new PictureDamage("a pixel of colour " + first + " outside its palette");
            }
            System.arraycopy(palette, 3 * first, rgb, 3 * pixel, 3);
            if (alpha != null) {
                alpha[pixel] = first < transparency.length ? transparency[first] : -1;
            }
            return;
        }
        boolean coloured = channels >= 3;
        boolean isKey = keyColour != null && first == keyColour[0];
        for (int c = 0; c < 3; c++) {
            int sample = coloured && c > 0 ? sample(row, column * channels + c) : first;
            rgb[3 * pixel + c] = eightBits(sample);
            isKey &= !coloured || keyColour == null || sample == keyColour[c];
        }
        if (keyColour != null) {
            alpha[pixel] = (byte) (isKey ? 0 : 255);
        } else if (alpha != null) {
            alpha[pixel] = eightBits(sample(row, column * channels + channels - 1));
        }
    }
}
