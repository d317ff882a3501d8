package kiln.tui.text;

import java.util.Objects;
import java.util.function.BiConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What a person takes for one character: extended grapheme clusters, by the regex {@code \X} (Java 17's BreakIterator splits emoji). */
public final class Graphemes {
    private static final Pattern CLUSTER = Pattern.compile("\\X");
    /** Below it every character but CR LF stands alone. */
    private static final int FIRST_COMBINING = 0x300;
    /** No sensible cluster is longer; a run of combining marks is cut here, so that looking back stays cheap. */
    private static final int MAX_LENGTH = 64;

    private Graphemes() {}

    /** The index behind the cluster that begins at {@code index}. */
    public static int next(CharSequence text, int index) {
        Objects.checkIndex(index, text.length());
        if (isSimple(text, index)) {
            return index + 1;
        }
        int limit = Math.min(text.length(), index + MAX_LENGTH);
        Matcher matcher = CLUSTER.matcher(text).region(index, limit);
        return matcher.lookingAt() ? matcher.end() : index + 1;
    }

    /** The index where the cluster before {@code index} begins. */
    public static int previous(CharSequence text, int index) {
        if (index <= 0) {
            throw new IndexOutOfBoundsException("no cluster before " + index);
        }
        if (index == 1 || isSimple(text, index - 1) && text.charAt(index - 1) < FIRST_COMBINING) {
            return index - 1;
        }
        // Clusters never span a simple character: begin behind one, or far enough back.
        int start = index - 1;
        while (start > 0 && index - start < 2 * MAX_LENGTH && text.charAt(start) >= FIRST_COMBINING) {
            start--;
        }
        if (start > 0 && Character.isLowSurrogate(text.charAt(start))) {
            start--;
        }
        int at = start;
        while (true) {
            int end = next(text, at);
            if (end >= index) {
                return at;
            }
            at = end;
        }
    }

    private static boolean isSimple(CharSequence text, int index) {
        char c = text.charAt(index);
        if (c >= FIRST_COMBINING || c == '\r') {
            return false;
        }
        return index + 1 == text.length() || text.charAt(index + 1) < FIRST_COMBINING;
    }

    /** Calls {@code each} with every cluster and its width in cells, in order. */
    public static void forEach(String text, BiConsumer<String, Integer> each) {
        for (int i = 0; i < text.length(); ) {
            int end = next(text, i);
            String cluster = text.substring(i, end);
            each.accept(cluster, CellWidth.of(cluster));
            i = end;
        }
    }
}
