package kiln.runtime.image;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/** The segments of a JPEG (ITU T.81, annex B): its size, EXIF and comments are read from them, and EXIF is put among them. */
final class JpegFile {
    private static final int START = 0xd8;
    private static final int END = 0xd9;
    private static final int SCAN = 0xda;
    private static final int APP0 = 0xe0;
    private static final int APP1 = 0xe1;
    private static final int COMMENT = 0xfe;
    private static final int MAX_SEGMENT = 0xffff;
    /** Progressive pictures have a dozen; a decoder goes through the whole picture for each. */
    private static final int MAX_SCANS = 100;

    private JpegFile() {}

    static PictureFrame read(byte[] file) throws PictureDamage {
        ByteBuffer in = ByteBuffer.wrap(file);
        Map<String, String> texts = new LinkedHashMap<>();
        int budget = PictureLimits.MAX_TEXT_BYTES;
        int orientation = 1;
        int width = 0;
        int height = 0;
        int scans = 0;
        int at = 2;
        while (at + 4 <= file.length) {
            int marker = file[at + 1] & 255;
            if ((file[at] & 255) != 0xff) {
                // Coded data, or bytes that a decoder skips.
                at++;
                continue;
            }
            if (marker == 0xff || marker == 0 || marker == 1 || marker >= 0xd0 && marker <= START) {
                at += marker == 0xff ? 1 : 2;
                continue;
            }
            if (marker == END) {
                break;
            }
            int length = in.getShort(at + 2) & MAX_SEGMENT;
            if (length < 2 || at + 2 + length > file.length) {
                throw new PictureDamage("it ends too early");
            }
            int body = at + 4;
            int end = at + 2 + length;
            if (isFrame(marker) && width == 0) {
                if (length < 8) {
                    throw new PictureDamage("a damaged frame header");
                }
                height = in.getShort(body + 1) & 0xffff;
                width = in.getShort(body + 3) & 0xffff;
            } else if (marker == APP1 && isExif(file, body, end)) {
                Exif.Contents exif = Exif.read(Arrays.copyOfRange(file, body, end));
                orientation = exif.orientation();
                for (Map.Entry<String, String> text : exif.texts().entrySet()) {
                    budget = PictureTexts.put(texts, text.getKey(), text.getValue(), budget);
                }
            } else if (marker == COMMENT) {
                budget = PictureTexts.put(texts, PictureTexts.COMMENT, new String(file, body, end - body, StandardCharsets.UTF_8), budget);
            } else if (marker == SCAN && ++scans > MAX_SCANS) {
                throw new PictureDamage("more than " + MAX_SCANS + " scans");
            }
            at = end;
        }
        if (width == 0 || scans == 0) {
            throw new PictureDamage("it ends too early");
        }
        return PictureFrame.whole(width, height, orientation, texts, file);
    }

    /** Start of frame, of any coding; the others in this range are tables. */
    private static boolean isFrame(int marker) {
        return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
    }

    private static boolean isExif(byte[] file, int from, int to) {
        return to - from > Exif.PREFIX.length
                && Arrays.equals(file, from, from + Exif.PREFIX.length, Exif.PREFIX, 0, Exif.PREFIX.length);
    }

    /** The most bytes that EXIF may have in a JPEG. */
    static int maxExif() {
        return MAX_SEGMENT - 2 - Exif.PREFIX.length;
    }

    /** The file with {@code tiff} in the place of its JFIF header, where piexif puts it. */
    static byte[] withExif(byte[] file, byte[] tiff) {
        boolean hasJfif = (file[3] & 255) == APP0;
        int rest = hasJfif ? 4 + (ByteBuffer.wrap(file).getShort(4) & MAX_SEGMENT) : 2;
        ByteArrayOutputStream out = new ByteArrayOutputStream(file.length + tiff.length + 16);
        out.write(file, 0, 2);
        out.writeBytes(ByteBuffer.allocate(4).put((byte) 0xff).put((byte) APP1)
                .putShort((short) (2 + Exif.PREFIX.length + tiff.length)).array());
        out.writeBytes(Exif.PREFIX);
        out.writeBytes(tiff);
        out.write(file, rest, file.length - rest);
        return out.toByteArray();
    }
}
