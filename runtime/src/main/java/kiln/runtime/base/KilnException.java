package kiln.runtime.base;

/**
 * Something that a person can be told in one line: a category, the resource's name, what was found and what to do.
 *
 * <p>The message is complete in itself; the cause is for the log. Categories carry the exit code of the command line.
 */
public final class KilnException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** What kind of failure it is, and the exit code that the command line ends with. */
    public enum Category {
        BAD_REQUEST(2),
        NOT_FOUND(3),
        CORRUPT_FILE(4),
        UNSUPPORTED_MODEL(5),
        OUT_OF_MEMORY(6),
        STORAGE(7),
        DEVICE(8),
        INTERNAL(70),
        CANCELLED(130);

        private final int exitCode;

        Category(int exitCode) {
            this.exitCode = exitCode;
        }

        public int exitCode() {
            return exitCode;
        }
    }

    private final Category category;

    public KilnException(Category category, String message) {
        this(category, message, null);
    }

    public KilnException(Category category, String message, Throwable cause) {
        super(message, cause);
        this.category = category;
    }

    public static KilnException badRequest(String message) {
        return new KilnException(Category.BAD_REQUEST, message);
    }

    public static KilnException cancelled() {
        return new KilnException(Category.CANCELLED, "cancelled");
    }

    public Category category() {
        return category;
    }
}
