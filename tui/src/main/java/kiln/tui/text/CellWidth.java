package kiln.tui.text;

import java.util.Arrays;

/**
 * How many cells of a terminal a cluster takes: 0 for a lone combining mark, 2 for East Asian wide and emoji presentation, else 1.
 * Characters of ambiguous width count as 1.
 */
public final class CellWidth {
    private static final int EMOJI_PRESENTATION = 0xfe0f;
    /** First and last code points of the ranges that East Asian Width (UAX 11) calls W or F, ascending. */
    private static final int[] WIDE = {
        0x1100, 0x115f, 0x231a, 0x231b, 0x2329, 0x232a, 0x23e9, 0x23ec, 0x23f0, 0x23f0, 0x23f3, 0x23f3, 0x25fd, 0x25fe,
        0x2614, 0x2615, 0x2648, 0x2653, 0x267f, 0x267f, 0x2693, 0x2693, 0x26a1, 0x26a1, 0x26aa, 0x26ab, 0x26bd, 0x26be,
        0x26c4, 0x26c5, 0x26ce, 0x26ce, 0x26d4, 0x26d4, 0x26ea, 0x26ea, 0x26f2, 0x26f3, 0x26f5, 0x26f5, 0x26fa, 0x26fa,
        0x26fd, 0x26fd, 0x2705, 0x2705, 0x270a, 0x270b, 0x2728, 0x2728, 0x274c, 0x274c, 0x274e, 0x274e, 0x2753, 0x2755,
        0x2757, 0x2757, 0x2795, 0x2797, 0x27b0, 0x27b0, 0x27bf, 0x27bf, 0x2b1b, 0x2b1c, 0x2b50, 0x2b50, 0x2b55, 0x2b55,
        0x2e80, 0x303e, 0x3041, 0x3247, 0x3250, 0x4dbf, 0x4e00, 0xa4c6, 0xa960, 0xa97c, 0xac00, 0xd7a3, 0xf900, 0xfad9,
        0xfe10, 0xfe19, 0xfe30, 0xfe6b, 0xff01, 0xff60, 0xffe0, 0xffe6, 0x16fe0, 0x18cd5, 0x18d00, 0x18d08, 0x1aff0, 0x1b122,
        0x1b150, 0x1b2fb, 0x1f004, 0x1f004, 0x1f0cf, 0x1f0cf, 0x1f18e, 0x1f18e, 0x1f191, 0x1f19a, 0x1f200, 0x1f265, 0x1f300, 0x1f320,
        0x1f32d, 0x1f335, 0x1f337, 0x1f37c, 0x1f37e, 0x1f393, 0x1f3a0, 0x1f3ca, 0x1f3cf, 0x1f3d3, 0x1f3e0, 0x1f3f0, 0x1f3f4, 0x1f3f4,
        0x1f3f8, 0x1f43e, 0x1f440, 0x1f440, 0x1f442, 0x1f4fc, 0x1f4ff, 0x1f53d, 0x1f54b, 0x1f54e, 0x1f550, 0x1f567, 0x1f57a, 0x1f57a,
        0x1f595, 0x1f596, 0x1f5a4, 0x1f5a4, 0x1f5fb, 0x1f64f, 0x1f680, 0x1f6c5, 0x1f6cc, 0x1f6cc, 0x1f6d0, 0x1f6d2, 0x1f6d5, 0x1f6df,
        0x1f6eb, 0x1f6ec, 0x1f6f4, 0x1f6fc, 0x1f7e0, 0x1f7f0, 0x1f900, 0x1f9ff, 0x1fa70, 0x1faff, 0x20000, 0x3fffd
    };

    private CellWidth() {}

    /** Cells of one cluster. */
    public static int of(CharSequence cluster) {
        if (cluster.length() == 0) {
            return 0;
        }
        int first = Character.codePointAt(cluster, 0);
        if (first < 0x300) {
            return first == '\n' || first == '\r' ? 0 : emojiSequence(cluster) ? 2 : 1;
        }
        return switch (Character.getType(first)) {
            case Character.NON_SPACING_MARK, Character.ENCLOSING_MARK, Character.FORMAT -> 0;
            default -> isWide(first) || emojiSequence(cluster) || isFlag(cluster) ? 2 : 1;
        };
    }

    /** Cells of a whole text. */
    public static int ofText(String text) {
        int cells = 0;
        for (int i = 0; i < text.length(); ) {
            int end = Graphemes.next(text, i);
            cells += of(text.substring(i, end));
            i = end;
        }
        return cells;
    }

    /** The beginning of {@code text} that fits {@code cells}, ending in "…" when something was left out. */
    public static String cut(String text, int cells) {
        if (ofText(text) <= cells) {
            return text;
        }
        int used = 0;
        int end = 0;
        while (end < text.length()) {
            int next = Graphemes.next(text, end);
            int width = of(text.substring(end, next));
            if (used + width > cells - 1) {
                break;
            }
            used += width;
            end = next;
        }
        return cells < 1 ? "" : text.substring(0, end) + "…";
    }

    private static boolean isWide(int codePoint) {
        int at = Arrays.binarySearch(WIDE, codePoint);
        // Between a first and a last the insertion point is odd.
        return at >= 0 || (-at - 1) % 2 == 1;
    }

    private static boolean emojiSequence(CharSequence cluster) {
        for (int i = 1; i < cluster.length(); i++) {
            if (cluster.charAt(i) == EMOJI_PRESENTATION) {
                return true;
            }
        }
        return false;
    }

    private static boolean isFlag(CharSequence cluster) {
        int first = Character.codePointAt(cluster, 0);
        return first >= 0x1f1e6 && first <= 0x1f1ff && cluster.length() > 2;
    }
}
