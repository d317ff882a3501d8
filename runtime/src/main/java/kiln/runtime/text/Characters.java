package kiln.runtime.text;

import java.io.DataInputStream;
import java.io.IOException;
import java.util.Arrays;

/**
 * What the reference tokenizer's Unicode says of a character, whatever Unicode version this JDK has: {@code \p{L}}, {@code \p{N}},
 * {@code \s}, and lower case with Python's two exceptions (final sigma, dotted capital I).
 *
 * <p>Without it, letters that are new to one side would split words differently, and the same prompt would give other tokens.
 */
final class Characters {
    static final int LETTER = 1;
    static final int NUMBER = 2;
    static final int SPACE = 3;

    private static final int KIND = 3;
    private static final int CASED = 4;
    private static final int CASE_IGNORABLE = 8;
    private static final int HAS_LOWER = 16;
    private static final int PYTHON_SPACE = 32;
    private static final int CODE_POINTS = 0x110000;
    private static final char CAPITAL_SIGMA = '\u03a3';
    private static final char FINAL_SIGMA = '\u03c2';
    private static final char SMALL_SIGMA = '\u03c3';
    private static final int CAPITAL_I_WITH_DOT = 0x130;

    private static final byte[] CLASSES = new byte[CODE_POINTS];
    private static final int[] UPPER;
    private static final int[] LOWER;

    static {
        try (DataInputStream in = Resources.open("characters.bin.gz")) {
            int runs = in.readUnsignedShort();
            int pairs = in.readUnsignedShort();
            int previous = in.readInt();
            for (int i = 1; i <= runs; i++) {
                int next = i < runs ? in.readInt() : CODE_POINTS << 8;
                Arrays.fill(CLASSES, previous >>> 8, next >>> 8, (byte) previous);
                previous = next;
            }
            UPPER = new int[pairs];
            LOWER = new int[pairs];
            for (int i = 0; i < pairs; i++) {
                UPPER[i] = in.readInt();
                LOWER[i] = in.readInt();
            }
        } catch (IOException e) {
            throw Resources.broken("characters.bin.gz", e);
        }
    }

    private Characters() {}

    /** {@link #LETTER}, {@link #NUMBER}, {@link #SPACE} (what belongs to no word) or 0, as the reference's regular expression sees it. */
    static int kind(int codePoint) {
        return CLASSES[codePoint] & KIND;
    }

    /** Whether Python's {@code str.split} splits at it: {@code \s} and the four information separators. */
    static boolean isPythonSpace(int codePoint) {
        return (CLASSES[codePoint] & PYTHON_SPACE) != 0;
    }

    /** Python's {@code str.lower}. */
    static String lower(String text) {
        StringBuilder out = new StringBuilder(text.length());
        for (int i = 0; i < text.length(); ) {
            int c = text.codePointAt(i);
            if (c == CAPITAL_SIGMA) {
                out.append(endsWord(text, i) ? FINAL_SIGMA : SMALL_SIGMA);
            } else if (c == CAPITAL_I_WITH_DOT) {
                out.append("i\u0307");
            } else {
                out.appendCodePoint(lower(c));
            }
            i += Character.charCount(c);
        }
        return out.toString();
    }

    private static int lower(int codePoint) {
        if (codePoint < 128) {
            return codePoint >= 'A' && codePoint <= 'Z' ? codePoint + 32 : codePoint;
        }
        return (CLASSES[codePoint] & HAS_LOWER) == 0 ? codePoint : LOWER[Arrays.binarySearch(UPPER, codePoint)];
    }

    /** Unicode's Final_Sigma: a cased letter before, none after, case-ignorable characters skipped on both sides. */
    private static boolean endsWord(String text, int sigma) {
        int i = sigma;
        boolean casedBefore = false;
        while (i > 0) {
            int c = text.codePointBefore(i);
            i -= Character.charCount(c);
            if ((CLASSES[c] & CASE_IGNORABLE) == 0) {
                casedBefore = (CLASSES[c] & CASED) != 0;
                break;
            }
        }
        if (!casedBefore) {
            return false;
        }
        for (int j = sigma + 1; j < text.length(); ) {
            int c = text.codePointAt(j);
            if ((CLASSES[c] & CASE_IGNORABLE) == 0) {
                return (CLASSES[c] & CASED) == 0;
            }
            j += Character.charCount(c);
        }
        return true;
    }
}
