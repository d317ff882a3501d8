package kiln.runtime.base;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Sizes of memory as people write them. Units are powers of 1024, whether written M, MB or MiB, as tools for graphics cards use them. */
public final class ByteSize {
    private static final String[] UNITS = {"B", "KiB", "MiB", "GiB", "TiB"};
    private static final Pattern FORM = Pattern.compile("(\\d{1,18}(?:\\.\\d{1,9})?)\\s*(?:(B)|([KMGT])(?:I?B)?)?");
    private static final String PREFIXES = "KMGT";
    /** A number alone counts MiB, as people give a card's memory, unless that were a TiB and more: then a program gave bytes. */
    private static final BigDecimal LEAST_PLAIN_BYTES = BigDecimal.valueOf(1L << 20);

    private ByteSize() {}

    /**
     * "1700M", "1.7G", "512 KiB", "100B". A number alone counts MiB below 1048576, and bytes from there on.
     *
     * @return bytes, rounded down
     * @throws IllegalArgumentException in one line, when it is none of that or 2^63 bytes and more
     */
    public static long parse(String text) {
        Matcher size = FORM.matcher(text.strip().toUpperCase(Locale.ROOT));
        if (!size.matches()) {
            throw new IllegalArgumentException("'" + text + "' is not a size: give a number with M or G, as 1700M or 1.7G");
        }
        BigDecimal number = new BigDecimal(size.group(1));
        String prefix = size.group(3);
        int power;
        if (prefix != null) {
            power = 1 + PREFIXES.indexOf(prefix);
        } else if (size.group(2) != null || number.compareTo(LEAST_PLAIN_BYTES) >= 0) {
            power = 0;
        } else {
            power = 2;
        }
        BigDecimal bytes = number.multiply(BigDecimal.valueOf(1L << 10 * power));
        if (bytes.compareTo(BigDecimal.valueOf(Long.MAX_VALUE)) > 0) {
            throw new IllegalArgumentException("'" + text + "' is more than any memory has");
        }
        return bytes.setScale(0, RoundingMode.DOWN).longValueExact();
    }

    /** "27.3 MiB". */
    public static String format(long bytes) {
        int unit = unit(bytes);
        return number(bytes, unit) + " " + UNITS[unit];
    }

    /** "1.2/2.0 GiB": a part in the unit of the whole. */
    public static String formatOf(long part, long whole) {
        int unit = unit(whole);
        return number(part, unit) + "/" + number(whole, unit) + " " + UNITS[unit];
    }

    private static int unit(long bytes) {
        double value = bytes;
        int unit = 0;
        while (Math.abs(value) >= 1024 && unit < UNITS.length - 1) {
            value /= 1024;
            unit++;
        }
        return unit;
    }

    private static String number(long bytes, int unit) {
        return unit == 0 ? Long.toString(bytes) : String.format(Locale.ROOT, "%.1f", bytes / Math.pow(1024, unit));
    }
}
