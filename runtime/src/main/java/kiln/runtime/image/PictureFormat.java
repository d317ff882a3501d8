package kiln.runtime.image;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** Kinds of picture files: all are read, some are written. */
public enum PictureFormat {
    PNG(Integer.MAX_VALUE, "png"),
    JPEG(65_535, "jpg", "jpeg"),
    WEBP(16_383, "webp"),
    GIF(0, "gif"),
    BMP(0, "bmp");

    /** How many of a file's first bytes {@link #of(byte[])} looks at. */
    public static final int SIGNATURE_BYTES = 12;

    private final int maxSide;
    private final List<String> endings;

    PictureFormat(int maxSide, String... endings) {
        this.maxSide = maxSide;
        this.endings = List.of(endings);
    }

    /** By its first bytes; {@code null} when it is none of these. */
    public static PictureFormat of(byte[] head) {
        if (begins(head, 0, 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n')) {
            return PNG;
        } else if (begins(head, 0, 0xff, 0xd8, 0xff)) {
            return JPEG;
        } else if (begins(head, 0, 'R', 'I', 'F', 'F') && begins(head, 8, 'W', 'E', 'B', 'P')) {
            return WEBP;
        } else if (begins(head, 0, 'G', 'I', 'F', '8')) {
            return GIF;
        }
        return begins(head, 0, 'B', 'M') ? BMP : null;
    }

    private static boolean begins(byte[] head, int at, int... start) {
        for (int i = 0; i < start.length; i++) {
            if (at + i >= head.length || (head[at + i] & 255) != start[i]) {
                return false;
            }
        }
        return true;
    }

    /** The format that is written to files of that name; {@code null} when none is. */
    public static PictureFormat ofName(String fileName) {
        String ending = fileName.substring(fileName.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
        return fileName.indexOf('.') < 0 ? null
                : Arrays.stream(values()).filter(format -> format.isWritten() && format.endings.contains(ending)).findFirst().orElse(null);
    }

    /** Whether Kiln writes it. */
    public boolean isWritten() {
        return maxSide > 0;
    }

    /** The longest side that a file of this format can have. */
    public int maxSide() {
        return maxSide;
    }

    /** The usual ending, as A1111's {@code samples_format} has it: "jpg". */
    public String ending() {
        return endings.get(0);
    }

    /** "png, jpg, webp". */
    public static String writtenEndings() {
        return Arrays.stream(values()).filter(PictureFormat::isWritten).map(PictureFormat::ending).collect(Collectors.joining(", "));
    }
}
