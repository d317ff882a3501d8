package kiln.weights;

import java.nio.file.Path;

/**
 * A weights file that cannot be used, in one line: the file, what is wrong and, when it is known, the byte where.
 */
public final class WeightsException extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private static final int QUOTED_CHARACTERS = 120;

    /** What kind of failure it is. */
    public enum Kind {
        /** The file breaks the rules of its format: truncated, overlapping, contradictory. */
        CORRUPT,
        /** The file may be sound, but it is in a format or uses a feature that is not read. */
        UNSUPPORTED,
        /** No such file, or no such tensor in it. */
        NOT_FOUND,
        /** The operating system failed to read it. */
        IO,
        /** The file or the tensor's data was used after it was closed. */
        CLOSED
    }

    private final Kind kind;
    private final transient Path file;
    private final long offset;

    public WeightsException(Kind kind, Path file, long offset, String detail, Throwable cause) {
        super(file + ": " + detail + (offset >= 0 ? " (at byte " + offset + ")" : ""), cause);
        this.kind = kind;
        this.file = file;
        this.offset = offset;
    }

    public WeightsException(Kind kind, Path file, long offset, String detail) {
        this(kind, file, offset, detail, null);
    }

    public WeightsException(Kind kind, Path file, String detail) {
        this(kind, file, -1, detail, null);
    }

    public Kind kind() {
        return kind;
    }

    /** The file it is about. */
    public Path file() {
        return file;
    }

    /** The byte in the file where the trouble is, or -1 when no single place is to blame. */
    public long offset() {
        return offset;
    }

    /** Text from a file made fit for a message: quoted, on one line, without control characters, cut when long. */
    public static String quote(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        text.codePoints().limit(QUOTED_CHARACTERS)
                .forEach(c -> quoted.appendCodePoint(isPrintable(c) ? c : '?'));
        return quoted.append(text.length() > QUOTED_CHARACTERS ? "…\"" : "\"").toString();
    }

    private static boolean isPrintable(int c) {
        int type = Character.getType(c);
        return !Character.isISOControl(c) && type != Character.FORMAT && type != Character.SURROGATE
                && type != Character.LINE_SEPARATOR && type != Character.PARAGRAPH_SEPARATOR;
    }
}
