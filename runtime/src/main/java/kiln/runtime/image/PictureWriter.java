package kiln.runtime.image;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * Writes pictures with the text that made them where A1111 puts it: a PNG's "parameters", the user comment of a JPEG's or a WebP's EXIF.
 * Stateless.
 */
public final class PictureWriter {
    /** The PNG keyword that the text lies under. */
    public static final String KEYWORD = "parameters";

    private PictureWriter() {}

    /** Why {@code encoding} cannot hold such a picture, so that it becomes a PNG, in words for people; {@code null} when it can. */
    public static String refusal(PictureEncoding encoding, int width, int height, String text) {
        PictureFormat format = encoding.format();
        if (Math.max(width, height) > format.maxSide()) {
            return "a picture of " + width + "x" + height + " was written as PNG: " + format + " ends at " + format.maxSide() + " pixels a side";
        }
        if (format == PictureFormat.JPEG && exif(text).length > JpegFile.maxExif()) {
            return "a picture was written as PNG: its parameters have " + text.length() + " characters, more than a JPEG holds";
        }
        return null;
    }

    private static byte[] exif(String text) {
        return Exif.withUserComment(text);
    }

    /**
     * Writes a whole file; {@code out} is neither flushed nor closed.
     *
     * @param text empty for none
     * @throws IllegalArgumentException when the format cannot hold it, see {@link #refusal}
     */
    public static void write(Picture picture, String text, PictureEncoding encoding, OutputStream out) throws IOException {
        if (encoding.format() == PictureFormat.PNG) {
            PngWriter.write(picture, text.isEmpty() ? Map.of() : Map.of(KEYWORD, text), out);
            return;
        }
        String refusal = refusal(encoding, picture.width(), picture.height(), text);
        if (refusal != null) {
            throw new IllegalArgumentException(refusal);
        }
        byte[] file = NativePictures.write(picture, encoding);
        if (text.isEmpty()) {
            out.write(file);
        } else if (encoding.format() == PictureFormat.JPEG) {
            out.write(JpegFile.withExif(file, exif(text)));
        } else {
            out.write(WebPFile.withExif(file, exif(text), picture.width(), picture.height()));
        }
    }

    /** A whole file in memory. */
    public static byte[] encode(Picture picture, String text, PictureEncoding encoding) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(picture.rgb().length / 2 + 1024);
        try {
            write(picture, text, encoding, out);
        } catch (IOException e) {
            throw new UncheckedIOException("an array refused bytes", e);
        }
        return out.toByteArray();
    }

    /** What A1111's {@code save_txt} writes beside a picture. */
    public static byte[] textFile(String text) {
        return (text + "\n").getBytes(StandardCharsets.UTF_8);
    }
}
