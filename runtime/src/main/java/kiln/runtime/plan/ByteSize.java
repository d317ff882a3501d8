package kiln.runtime.plan;

import java.math.BigDecimal;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Amounts of memory as people write them: {@code 1700M}, {@code 1.7G}, {@code 1.65GiB}.
 *
 * <p>All units are powers of 1024, with or without the "i": a "2 GB" card has 2 GiB, and tools for graphics cards say M for MiB.
 */
public final class ByteSize {
    private static final String UNITS = "KMGT";
    private static final Pattern SIZE = Pattern.compile("\\s*([0-9]{1,18}(?:\\.[0-9]{1,18})?)\\s*(?:([KMGT])(?:I?B)?|B)\\s*");

    private ByteSize() {}

    /**
     * Bytes; fractions of a byte are dropped.
     *
     * @throws IllegalArgumentException when it is no size with a unit, or too large
     */
    public static long parse(String text) {
        Matcher matcher = SIZE.matcher(text.toUpperCase(Locale.ROOT));
        if (!matcher.matches()) {
            throw new IllegalArgumentException("'" + text + "' is no amount of memory: give one like 1700M or 1.7G");
        }
        int power = matcher.group(2) == null ? 0 : UNITS.indexOf(matcher.group(2)) + 1;
        BigDecimal bytes = new BigDecimal(matcher.group(1)).multiply(BigDecimal.valueOf(1L << 10 * power));
        if (bytes.compareTo(BigDecimal.valueOf(Long.MAX_VALUE)) > 0) {
            throw new IllegalArgumentException("'" + text + "' is more memory than can be counted");
        }
        return bytes.longValue();
    }

    /** "27.3 MiB", "512 B". */
    public static String format(long bytes) {
        if (bytes < 1024) {
            return bytes + " B";
        }
        double value = bytes;
        int power = 0;
        while (value >= 1024 && power < UNITS.length()) {
            value /= 1024;
            power++;
        }
        return String.format(Locale.ROOT, "%.1f %ciB", value, UNITS.charAt(power - 1));
    }
}
