package kiln.runtime.image;

import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import kiln.runtime.base.KilnException;

/**
 * Reads PNGs by anyone, friend or not: their texts (tEXt, zTXt, iTXt), and the pixels of 8-bit pictures that are not interlaced.
 *
 * <p>Never takes more memory than the file's size and {@link #MAX_TEXT_BYTES} justify. Every fault is one {@link KilnException} of
 * category {@code CORRUPT_FILE} that names the file. Stateless from outside; a call belongs to its thread.
 */
public final class PngReader {
    /** Bytes of text that a file may hold in all, unpacked. */
    public static final int MAX_TEXT_BYTES = 16 << 20;

    private static final int MAX_SIDE = 1 << 16;
    private static final long MAX_PIXELS = 1L << 26;
    /** Deflate packs at most 1032 bytes into one; a picture that claims more is false, and is refused before memory is taken for it. */
    private static final int MAX_DEFLATE_RATIO = 1032;

    private final String name;
    private final DataInputStream in;
    private final boolean wantsPixels;
    private final Map<String, String> texts = new LinkedHashMap<>();
    private final ByteArrayOutputStream packedPixels = new ByteArrayOutputStream();
    private int textBudget = MAX_TEXT_BYTES;
    private int width;
    private int height;
    private int bitDepth;
    private int colourType;
    private boolean interlaced;
    private byte[] palette;
    private byte[] paletteAlpha = new byte[0];

    private PngReader(InputStream in, String name, boolean wantsPixels) {
        this.in = new DataInputStream(in);
        this.name = name;
        this.wantsPixels = wantsPixels;
    }

    /** The file's texts by keyword, in the file's order; of two with the same keyword the last. */
    public static Map<String, String> readTexts(Path file) {
        return open(file, false).texts;
    }

    /** The picture, transparent parts over white. */
    public static Picture readPicture(Path file) {
        return open(file, true).decode();
    }

    /** As {@link #readTexts(Path)}, from memory; {@code name} is for messages. */
    public static Map<String, String> readTexts(byte[] png, String name) {
        return parse(png, name, false).texts;
    }

    /** As {@link #readPicture(Path)}, from memory; {@code name} is for messages. */
    public static Picture readPicture(byte[] png, String name) {
        return parse(png, name, true).decode();
    }

    private static PngReader open(Path file, boolean wantsPixels) {
        try (InputStream stream = new BufferedInputStream(Files.newInputStream(file))) {
            PngReader reader = new PngReader(stream, file.toString(), wantsPixels);
            reader.readChunks();
            return reader;
        } catch (NoSuchFileException e) {
            throw new KilnException(KilnException.Category.NOT_FOUND, file + ": there is no such file", e);
        } catch (IOException e) {
            throw new KilnException(KilnException.Category.STORAGE, file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    private static PngReader parse(byte[] png, String name, boolean wantsPixels) {
        try {
            PngReader reader = new PngReader(new ByteArrayInputStream(png), name, wantsPixels);
            reader.readChunks();
            return reader;
        } catch (IOException e) {
            throw new KilnException(KilnException.Category.CORRUPT_FILE, name + ": " + e.getMessage(), e);
        }
    }

    private void readChunks() throws IOException {
        try {
            if (!Arrays.equals(in.readNBytes(PngWriter.SIGNATURE.length), PngWriter.SIGNATURE)) {
                throw corrupt("it is not a PNG");
            }
            boolean first = true;
            while (true) {
                int length = in.readInt();
                byte[] type = new byte[4];
                in.readFully(type);
                String chunk = new String(type, StandardCharsets.ISO_8859_1);
                if (length < 0 || !chunk.chars().allMatch(c -> c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z')) {
                    throw corrupt("a damaged chunk");
                }
                if (first != chunk.equals("IHDR")) {
                    throw corrupt(first ? "its first chunk is " + chunk + ", not IHDR" : "a second IHDR chunk");
                }
                first = false;
                if (isWanted(chunk)) {
                    readChunk(chunk, type, length);
                } else {
                    in.skipNBytes(length + 4L);
                }
                if (chunk.equals("IEND")) {
                    return;
                }
            }
        } catch (EOFException e) {
            throw corrupt("it ends too early");
        }
    }

    private boolean isWanted(String chunk) {
        return switch (chunk) {
            case "IHDR", "tEXt", "zTXt", "iTXt" -> true;
            case "IDAT", "PLTE", "tRNS" -> wantsPixels;
            default -> false;
        };
    }

    private void readChunk(String chunk, byte[] type, int length) throws IOException {
        if (chunk.endsWith("Xt") && length > MAX_TEXT_BYTES) {
            throw corrupt("a text of " + length + " bytes; at most " + MAX_TEXT_BYTES + " are read");
        }
        // Grows with what is really there, whatever the length claims.
        byte[] body = in.readNBytes(length);
        if (body.length < length) {
            throw new EOFException();
        }
        CRC32 crc = new CRC32();
        crc.update(type);
        crc.update(body);
        if (in.readInt() != (int) crc.getValue()) {
            throw corrupt("the checksum of its " + chunk + " chunk is wrong");
        }
        switch (chunk) {
            case "IHDR" -> header(body);
            case "IDAT" -> packedPixels.write(body);
            case "PLTE" -> palette = body;
            case "tRNS" -> paletteAlpha = body;
            case "tEXt" -> {
                int end = keywordEnd(body);
                putText(body, end, latin1(body, end + 1, body.length));
            }
            case "zTXt" -> {
                int end = keywordEnd(body);
                if (end + 2 > body.length || body[end + 1] != 0) {
                    throw corrupt("a damaged zTXt chunk");
                }
                byte[] text = inflateText(body, end + 2);
                putText(body, end, latin1(text, 0, text.length));
            }
            case "iTXt" -> internationalText(body);
            default -> { }
        }
    }

    private void header(byte[] body) {
        if (body.length != 13) {
            throw corrupt("an IHDR chunk of " + body.length + " bytes, not 13");
        }
        ByteBuffer header = ByteBuffer.wrap(body);
        width = header.getInt();
        height = header.getInt();
        if (width < 1 || height < 1 || width > MAX_SIDE || height > MAX_SIDE || (long) width * height > MAX_PIXELS) {
            throw corrupt("a size of " + Integer.toUnsignedString(width) + "x" + Integer.toUnsignedString(height) + "; at most "
                    + MAX_SIDE + " a side and " + MAX_PIXELS + " pixels are read");
        }
        bitDepth = header.get();
        colourType = header.get();
        interlaced = body[12] != 0;
        if (body[10] != 0 || body[11] != 0) {
            throw corrupt("an unknown compression or filter method");
        }
    }

    private void internationalText(byte[] body) {
        int end = keywordEnd(body);
        int languageEnd = end + 3 > body.length ? -1 : indexOfZero(body, end + 3);
        int translatedEnd = languageEnd < 0 ? -1 : indexOfZero(body, languageEnd + 1);
        if (translatedEnd < 0 || body[end + 1] < 0 || body[end + 1] > 1) {
            throw corrupt("a damaged iTXt chunk");
        }
        byte[] text = body[end + 1] == 1
                ? inflateText(body, translatedEnd + 1)
                : Arrays.copyOfRange(body, translatedEnd + 1, body.length);
        putText(body, end, new String(text, StandardCharsets.UTF_8));
    }

    private void putText(byte[] body, int keywordEnd, String text) {
        textBudget -= text.length();
        if (textBudget < 0) {
            throw corrupt("more than " + MAX_TEXT_BYTES + " bytes of text");
        }
        texts.put(latin1(body, 0, keywordEnd), text);
    }

    private int keywordEnd(byte[] body) {
        int end = indexOfZero(body, 0);
        if (end < 1) {
            throw corrupt("a text chunk without a keyword");
        }
        return end;
    }

    private static int indexOfZero(byte[] body, int from) {
        for (int i = from; i < body.length; i++) {
            if (body[i] == 0) {
                return i;
            }
        }
        return -1;
    }

    private static String latin1(byte[] bytes, int from, int to) {
        return new String(bytes, from, to - from, StandardCharsets.ISO_8859_1);
    }

    private byte[] inflateText(byte[] body, int from) {
        Inflater inflater = new Inflater();
        try {
            inflater.setInput(body, from, body.length - from);
            ByteArrayOutputStream text = new ByteArrayOutputStream();
            byte[] buffer = new byte[8192];
            while (!inflater.finished()) {
                int count = inflater.inflate(buffer);
                text.write(buffer, 0, count);
                if (text.size() > textBudget) {
                    throw corrupt("more than " + MAX_TEXT_BYTES + " bytes of text");
                }
                if (count == 0 && (inflater.needsInput() || inflater.needsDictionary())) {
                    throw corrupt("a packed text that ends too early");
                }
            }
            return text.toByteArray();
        } catch (DataFormatException e) {
            throw corrupt("a damaged packed text");
        } finally {
            inflater.end();
        }
    }

    private Picture decode() {
        int channels = channels();
        int rowBytes = channels * width;
        long rawBytes = (rowBytes + 1L) * height;
        if (rawBytes > (long) packedPixels.size() * MAX_DEFLATE_RATIO) {
            throw corrupt("its pixel data is too short for " + width + "x" + height);
        }
        byte[] rgb = new byte[3 * width * height];
        byte[] above = new byte[rowBytes];
        byte[] row = new byte[rowBytes];
        byte[] filter = new byte[1];
        Inflater inflater = new Inflater();
        try {
            inflater.setInput(packedPixels.toByteArray());
            for (int y = 0; y < height; y++) {
                inflateFully(inflater, filter);
                inflateFully(inflater, row);
                unfilter(filter[0], row, above, channels);
                putRow(row, rgb, 3 * width * y);
                byte[] swap = above;
                above = row;
                row = swap;
            }
        } catch (DataFormatException e) {
            throw corrupt("its pixel data is damaged");
        } finally {
            inflater.end();
        }
        return new Picture(width, height, rgb);
    }

    private int channels() {
        int channels = switch (colourType) {
            case 0, 3 -> 1;
            case 2 -> 3;
            case 4 -> 2;
            case 6 -> 4;
            default -> throw corrupt("an unknown colour type " + colourType);
        };
        if (bitDepth != 8 || interlaced) {
            String kind = interlaced ? "interlaced" : bitDepth + "-bit";
            throw corrupt(kind + " PNGs are not read; save it with 8 bits a channel and not interlaced");
        }
        if (colourType == 3 && (palette == null || palette.length == 0 || palette.length % 3 != 0 || palette.length > 3 * 256)) {
            throw corrupt("a missing or damaged palette");
        }
        return channels;
    }

    private void inflateFully(Inflater inflater, byte[] target) throws DataFormatException {
        int filled = 0;
        while (filled < target.length) {
            int count = inflater.inflate(target, filled, target.length - filled);
            if (count == 0) {
                throw corrupt("its pixel data ends too early");
            }
            filled += count;
        }
    }

    private void unfilter(int type, byte[] row, byte[] above, int channels) {
        if (type < 0 || type > 4) {
            throw corrupt("an unknown row filter " + type);
        }
        for (int i = 0; i < row.length; i++) {
            int left = i < channels ? 0 : row[i - channels] & 255;
            int up = above[i] & 255;
            int upLeft = i < channels ? 0 : above[i - channels] & 255;
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

    private void putRow(byte[] row, byte[] rgb, int at) {
        switch (colourType) {
            case 2 -> System.arraycopy(row, 0, rgb, at, row.length);
            case 0 -> {
                for (int x = 0; x < width; x++) {
                    Arrays.fill(rgb, at + 3 * x, at + 3 * x + 3, row[x]);
                }
            }
            case 3 -> {
                for (int x = 0; x < width; x++) {
                    int index = row[x] & 255;
                    if (3 * index >= palette.length) {
                        throw corrupt("a pixel of colour " + index + " outside its palette");
                    }
                    int alpha = index < paletteAlpha.length ? paletteAlpha[index] & 255 : 255;
                    for (int c = 0; c < 3; c++) {
                        rgb[at + 3 * x + c] = overWhite(palette[3 * index + c], alpha);
                    }
                }
            }
            default -> {
                int channels = colourType == 4 ? 2 : 4;
                for (int x = 0; x < width; x++) {
                    int alpha = row[channels * x + channels - 1] & 255;
                    for (int c = 0; c < 3; c++) {
                        rgb[at + 3 * x + c] = overWhite(row[channels * x + (channels == 4 ? c : 0)], alpha);
                    }
                }
            }
        }
    }

    private static byte overWhite(byte colour, int alpha) {
        return (byte) (((colour & 255) * alpha + 255 * (255 - alpha) + 127) / 255);
    }

    private KilnException corrupt(String found) {
        return new KilnException(KilnException.Category.CORRUPT_FILE, name + ": not a readable PNG: " + found);
    }
}
