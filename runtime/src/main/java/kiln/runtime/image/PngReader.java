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
 * Reads PNGs by anyone, friend or not: their texts (tEXt, zTXt, iTXt, EXIF), and the pixels (of an animated one the still picture).
 *
 * <p>Never takes more memory than the file's size and {@link PictureLimits} justify. Every fault is one {@link KilnException} of
 * category {@code CORRUPT_FILE} that names the file. Stateless from outside; a call belongs to its thread.
 */
public final class PngReader {
    private final String name;
    private final DataInputStream in;
    private final boolean wantsPixels;
    private final Map<String, String> texts = new LinkedHashMap<>();
    private final ByteArrayOutputStream packedPixels = new ByteArrayOutputStream();
    private int textBudget = PictureLimits.MAX_TEXT_BYTES;
    private PngPixels.PngHeader header;
    private byte[] palette;
    private byte[] transparency;

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
        return open(file, true).decode().overWhite();
    }

    /** As {@link #readTexts(Path)}, from memory; {@code name} is for messages. */
    public static Map<String, String> readTexts(byte[] png, String name) {
        return parse(png, name, false).texts;
    }

    /** As {@link #readPicture(Path)}, from memory; {@code name} is for messages. */
    public static Picture readPicture(byte[] png, String name) {
        return decode(png, name).overWhite();
    }

    static PictureReader.Summary summary(byte[] png, String name) {
        PngReader reader = parse(png, name, false);
        return new PictureReader.Summary(PictureFormat.PNG, reader.header.width(), reader.header.height(), reader.texts);
    }

    static DecodedPicture decode(byte[] png, String name) {
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
            case "IHDR", "tEXt", "zTXt", "iTXt", "eXIf" -> true;
            case "IDAT", "PLTE", "tRNS" -> wantsPixels;
            default -> false;
        };
    }

    private void readChunk(String chunk, byte[] type, int length) throws IOException {
        if ((chunk.endsWith("Xt") || chunk.equals("eXIf")) && length > PictureLimits.MAX_TEXT_BYTES) {
            throw corrupt("a text of " + length + " bytes; at most " + PictureLimits.MAX_TEXT_BYTES + " are read");
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
            case "tRNS" -> transparency = body;
            case "tEXt" -> {
                int end = keywordEnd(body);
                putText(latin1(body, 0, end), latin1(body, end + 1, body.length));
            }
            case "zTXt" -> {
                int end = keywordEnd(body);
                if (end + 2 > body.length || body[end + 1] != 0) {
                    throw corrupt("a damaged zTXt chunk");
                }
                byte[] text = inflateText(body, end + 2);
                putText(latin1(body, 0, end), latin1(text, 0, text.length));
            }
            case "iTXt" -> internationalText(body);
            case "eXIf" -> Exif.read(body).texts().forEach(this::putText);
            default -> { }
        }
    }

    private void header(byte[] body) {
        if (body.length != 13) {
            throw corrupt("an IHDR chunk of " + body.length + " bytes, not 13");
        }
        if (body[10] != 0 || body[11] != 0 || body[12] < 0 || body[12] > 1) {
            throw corrupt("an unknown compression, filter or interlace method");
        }
        ByteBuffer numbers = ByteBuffer.wrap(body);
        header = new PngPixels.PngHeader(numbers.getInt(), numbers.getInt(), numbers.get(), numbers.get(), body[12] == 1);
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
        putText(latin1(body, 0, end), new String(text, StandardCharsets.UTF_8));
    }

    private void putText(String keyword, String text) {
        textBudget -= text.length();
        if (textBudget < 0) {
            throw corrupt("more than " + PictureLimits.MAX_TEXT_BYTES + " bytes of text");
        }
        texts.put(keyword, text);
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
                    throw corrupt("more than " + PictureLimits.MAX_TEXT_BYTES + " bytes of text");
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

    private DecodedPicture decode() {
        PictureLimits.check(name, header.width() & 0xffffffffL, header.height() & 0xffffffffL);
        try {
            PngPixels pixels = new PngPixels(header, palette, transparency, packedPixels.size());
            pixels.decode(packedPixels.toByteArray());
            return new DecodedPicture(new Picture(header.width(), header.height(), pixels.rgb()), pixels.alpha(), texts);
        } catch (PictureDamage e) {
            throw corrupt(e.getMessage());
        }
    }

    private KilnException corrupt(String found) {
        return new KilnException(KilnException.Category.CORRUPT_FILE, name + ": not a readable PNG: " + found);
    }
}
