package kiln.runtime.image;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The part of EXIF (a TIFF file within a picture) that matters here: which way the picture is turned, what programs write into its texts, and
 * a user comment as piexif writes it for A1111. Stateless.
 */
final class Exif {
    /** What precedes the TIFF file in a JPEG's segment, and with some programs elsewhere too. */
    static final byte[] PREFIX = {'E', 'x', 'i', 'f', 0, 0};

    private static final int ORIENTATION = 0x0112;
    private static final int EXIF_FOLDER = 0x8769;
    private static final int USER_COMMENT = 0x9286;
    /** ComfyUI writes its graph into some of these. */
    private static final Map<Integer, String> TEXT_TAGS =
            Map.of(0x010e, "ImageDescription", 0x010f, "Make", 0x0110, "Model", 0x0131, "Software", 0x013b, "Artist");

    private static final int TYPE_BYTE = 1;
    private static final int TYPE_TEXT = 2;
    private static final int TYPE_SHORT = 3;
    private static final int TYPE_LONG = 4;
    private static final int TYPE_UNDEFINED = 7;
    private static final int CODE_BYTES = 8;
    private static final byte[] UNICODE = "UNICODE\0".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] ASCII = "ASCII\0\0\0".getBytes(StandardCharsets.US_ASCII);

    private Exif() {}

    /**
     * @param orientation 1 for upright, up to 8; see {@link Orientation}
     * @param texts the user comment under {@link PictureTexts#USER_COMMENT}, others under their names in EXIF
     */
    record Contents(int orientation, Map<String, String> texts) {}

    /** Reads what is whole: a damaged file has nothing to say, but its picture may be sound. */
    static Contents read(byte[] exif) {
        Map<String, String> texts = new LinkedHashMap<>();
        int[] orientation = {1};
        int begin = startsWith(exif, PREFIX) ? PREFIX.length : 0;
        try {
            ByteBuffer tiff = ByteBuffer.wrap(exif, begin, exif.length - begin).slice();
            short order = tiff.getShort();
            tiff.order(order == 0x4949 ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
            if ((order == 0x4949 || order == 0x4d4d) && tiff.getShort() == 42) {
                readFolder(tiff, tiff.getInt(), true, orientation, texts);
            }
        } catch (BufferUnderflowException | IndexOutOfBoundsException e) {
            // It ends within an entry: what came before it holds.
            return new Contents(orientation[0], texts);
        }
        return new Contents(orientation[0], texts);
    }

    private static void readFolder(ByteBuffer tiff, int offset, boolean outer, int[] orientation, Map<String, String> texts) {
        int entries = tiff.getShort(offset) & 0xffff;
        for (int i = 0; i < entries; i++) {
            int at = offset + 2 + 12 * i;
            int tag = tiff.getShort(at) & 0xffff;
            int type = tiff.getShort(at + 2);
            long count = tiff.getInt(at + 4) & 0xffffffffL;
            if (tag == ORIENTATION && type == TYPE_SHORT && outer) {
                int value = tiff.getShort(at + 8);
                orientation[0] = value >= 1 && value <= 8 ? value : 1;
            } else if (tag == EXIF_FOLDER && type == TYPE_LONG && outer) {
                readFolder(tiff, tiff.getInt(at + 8), false, orientation, texts);
            } else if (tag == USER_COMMENT && (type == TYPE_UNDEFINED || type == TYPE_TEXT || type == TYPE_BYTE)) {
                putText(texts, PictureTexts.USER_COMMENT, comment(value(tiff, at, count), tiff.order()));
            } else if (TEXT_TAGS.containsKey(tag) && type == TYPE_TEXT && outer) {
                putText(texts, TEXT_TAGS.get(tag), utf8(value(tiff, at, count)));
            }
        }
    }

    private static void putText(Map<String, String> texts, String name, String text) {
        if (!text.isBlank()) {
            texts.put(name, text);
        }
    }

    /** Up to four bytes lie in the entry itself. */
    private static byte[] value(ByteBuffer tiff, int at, long count) {
        int offset = count <= 4 ? at + 8 : tiff.getInt(at + 8);
        if (offset < 0 || count > tiff.limit() - offset) {
            throw new BufferUnderflowException();
        }
        byte[] bytes = new byte[(int) count];
        tiff.get(offset, bytes);
        return bytes;
    }

    /** Eight bytes name the encoding; what has none of them is taken for UTF-8, as A1111 does. */
    private static String comment(byte[] bytes, ByteOrder order) {
        if (startsWith(bytes, UNICODE)) {
            return utf16(Arrays.copyOfRange(bytes, CODE_BYTES, bytes.length), order);
        }
        if (startsWith(bytes, ASCII) || startsWith(bytes, new byte[CODE_BYTES])) {
            return utf8(Arrays.copyOfRange(bytes, CODE_BYTES, bytes.length));
        }
        return utf8(bytes);
    }

    /**
     * Big-endian as piexif writes it whatever the file's order, or in the file's order as the standard has it: where most upper bytes are zero
     * says which.
     */
    private static String utf16(byte[] bytes, ByteOrder order) {
        int firstZeros = 0;
        int secondZeros = 0;
        for (int i = 0; i + 1 < bytes.length; i += 2) {
            firstZeros += bytes[i] == 0 ? 1 : 0;
            secondZeros += bytes[i + 1] == 0 ? 1 : 0;
        }
        boolean little = order == ByteOrder.LITTLE_ENDIAN && secondZeros > firstZeros;
        return new String(bytes, little ? StandardCharsets.UTF_16LE : StandardCharsets.UTF_16BE).replace("\0", "").replace("\ufeff", "");
    }

    private static String utf8(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8).replace("\0", "");
    }

    private static boolean startsWith(byte[] bytes, byte[] start) {
        return bytes.length >= start.length && Arrays.equals(bytes, 0, start.length, start, 0, start.length);
    }

    /**
     * A TIFF file with nothing but a user comment, byte for byte piexif's: its inner folder is not followed by another's address.
     */
    static byte[] withUserComment(String text) {
        byte[] comment = text.getBytes(StandardCharsets.UTF_16BE);
        int outer = 8;
        int inner = outer + 2 + 12 + 4;
        int data = inner + 2 + 12;
        int count = CODE_BYTES + comment.length;
        return ByteBuffer.allocate(data + count)
                .put("MM".getBytes(StandardCharsets.US_ASCII)).putShort((short) 42).putInt(outer)
                .putShort((short) 1).putShort((short) EXIF_FOLDER).putShort((short) TYPE_LONG).putInt(1).putInt(inner).putInt(0)
                .putShort((short) 1).putShort((short) USER_COMMENT).putShort((short) TYPE_UNDEFINED).putInt(count).putInt(data)
                .put(UNICODE).put(comment)
                .array();
    }
}
