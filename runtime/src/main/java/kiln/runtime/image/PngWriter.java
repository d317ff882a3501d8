package kiln.runtime.image;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.Deflater;

/**
 * Writes 8-bit RGB PNGs (W3C PNG, third edition) with text chunks. The same picture and texts give the same bytes. Stateless.
 *
 * <p>Each row takes the filter with the least sum of absolute values, the standard's own advice for true colour. A text is a
 * tEXt chunk when Latin-1 holds it and an uncompressed iTXt chunk otherwise, as A1111 (through Pillow) has it.
 */
public final class PngWriter {
    static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    static final int CHANNELS = 3;

    private static final int DATA_CHUNK_BYTES = 1 << 16;
    private static final int MAX_KEYWORD = 79;

    private final OutputStream out;

    private PngWriter(OutputStream out) {
        this.out = out;
    }

    /** Writes a whole PNG; {@code out} is neither flushed nor closed. */
    public static void write(Picture picture, Map<String, String> texts, OutputStream out) throws IOException {
        PngWriter writer = new PngWriter(out);
        out.write(SIGNATURE);
        ByteBuffer header = ByteBuffer.allocate(13).putInt(picture.width()).putInt(picture.height());
        // Bit depth, true colour, then the only compression, filtering and (none) interlacing.
        header.put(new byte[] {8, 2, 0, 0, 0});
        writer.chunk("IHDR", header.array(), 13);
        for (Map.Entry<String, String> text : texts.entrySet()) {
            writer.text(text.getKey(), text.getValue());
        }
        writer.pixels(picture);
        writer.chunk("IEND", new byte[0], 0);
    }

    /** A whole PNG in memory. */
    public static byte[] encode(Picture picture, Map<String, String> texts) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(picture.rgb().length / 2 + 1024);
        try {
            write(picture, texts, out);
        } catch (IOException e) {
            throw new UncheckedIOException("an array refused bytes", e);
        }
        return out.toByteArray();
    }

    private void text(String keyword, String value) throws IOException {
        byte[] key = keyword.getBytes(StandardCharsets.ISO_8859_1);
        if (key.length < 1 || key.length > MAX_KEYWORD || keyword.indexOf('\0') >= 0 || !isLatin1(keyword)) {
            throw new IllegalArgumentException("a PNG keyword has 1 to 79 Latin-1 characters, found \"" + keyword + "\"");
        }
        // NUL ends fields inside these chunks.
        String clean = value.replace("\0", "");
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        body.write(key);
        body.write(0);
        if (isLatin1(clean)) {
            body.write(clean.getBytes(StandardCharsets.ISO_8859_1));
            chunk("tEXt", body.toByteArray(), body.size());
        } else {
            // Not compressed, method 0, no language, no translated keyword.
            body.write(new byte[4]);
            body.write(clean.getBytes(StandardCharsets.UTF_8));
            chunk("iTXt", body.toByteArray(), body.size());
        }
    }

    private static boolean isLatin1(String text) {
        return text.chars().allMatch(c -> c < 256);
    }

    private void pixels(Picture picture) throws IOException {
        int rowBytes = CHANNELS * picture.width();
        RowFilter filter = new RowFilter(rowBytes);
        Deflater deflater = new Deflater(Deflater.DEFAULT_COMPRESSION);
        try {
            byte[] buffer = new byte[DATA_CHUNK_BYTES];
            int filled = 0;
            for (int y = 0; y < picture.height(); y++) {
                deflater.setInput(filter.filter(picture.rgb(), y * rowBytes, y == 0));
                if (y == picture.height() - 1) {
                    deflater.finish();
                }
                while (y == picture.height() - 1 ? !deflater.finished() : !deflater.needsInput()) {
                    filled += deflater.deflate(buffer, filled, buffer.length - filled);
                    if (filled == buffer.length) {
                        chunk("IDAT", buffer, filled);
                        filled = 0;
                    }
                }
            }
            if (filled > 0) {
                chunk("IDAT", buffer, filled);
            }
        } finally {
            deflater.end();
        }
    }

    private void chunk(String type, byte[] body, int length) throws IOException {
        byte[] name = type.getBytes(StandardCharsets.ISO_8859_1);
        CRC32 crc = new CRC32();
        crc.update(name);
        crc.update(body, 0, length);
        out.write(ByteBuffer.allocate(8).putInt(length).put(name).array());
        out.write(body, 0, length);
        out.write(ByteBuffer.allocate(4).putInt((int) crc.getValue()).array());
    }

    /** Chooses a filter for each row. Its buffers are used again for the next row. */
    private static final class RowFilter {
        private static final int FILTERS = 5;
        private final int rowBytes;
        private final byte[] noRow;
        private final byte[][] candidates;

        RowFilter(int rowBytes) {
            this.rowBytes = rowBytes;
            noRow = new byte[rowBytes];
            candidates = new byte[FILTERS][rowBytes + 1];
            for (int type = 0; type < FILTERS; type++) {
                candidates[type][0] = (byte) type;
            }
        }

        /** The row at {@code at}, filtered, behind its filter's number. */
        byte[] filter(byte[] pixels, int at, boolean first) {
            byte[] above = first ? noRow : pixels;
            int aboveAt = first ? 0 : at - rowBytes;
            long[] sums = new long[FILTERS];
            for (int i = 0; i < rowBytes; i++) {
                int value = pixels[at + i] & 255;
                int left = i < CHANNELS ? 0 : pixels[at + i - CHANNELS] & 255;
                int up = above[aboveAt + i] & 255;
                int upLeft = i < CHANNELS ? 0 : above[aboveAt + i - CHANNELS] & 255;
                sums[0] += put(0, i, value);
                sums[1] += put(1, i, value - left);
                sums[2] += put(2, i, value - up);
                sums[3] += put(3, i, value - (left + up) / 2);
                sums[4] += put(4, i, value - paeth(left, up, upLeft));
            }
            int best = 0;
            for (int type = 1; type < FILTERS; type++) {
                if (sums[type] < sums[best]) {
                    best = type;
                }
            }
            return candidates[best];
        }

        private int put(int type, int i, int value) {
            byte stored = (byte) value;
            candidates[type][i + 1] = stored;
            return Math.abs(stored);
        }
    }

    /** Whichever of the three neighbours is nearest to {@code left + up - upLeft}. */
    static int paeth(int left, int up, int upLeft) {
        int toLeft = Math.abs(up - upLeft);
        int toUp = Math.abs(left - upLeft);
        int toUpLeft = Math.abs(left + up - 2 * upLeft);
        return toLeft <= toUp && toLeft <= toUpLeft ? left : toUp <= toUpLeft ? up : upLeft;
    }
}
