package kiln.tui.editor;

import java.math.BigDecimal;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Raises and lowers the weight of the word at the caret, as A1111's Ctrl+Up and Ctrl+Down do. */
final class WordWeight {
    private static final BigDecimal STEP = new BigDecimal("0.1");
    private static final Pattern WEIGHTED = Pattern.compile("\\(([^()\\[\\]\n]*?):\\s*(\\d+(?:\\.\\d+)?)\\)");

    /** A text after the change, and where the caret stands in it. */
    record Result(String text, int caret) {}

    private WordWeight() {}

    /** The text with the weight changed by a step, or {@code null} when the caret stands at no word. */
    static Result change(String text, int caret, boolean up) {
        Matcher matcher = WEIGHTED.matcher(text);
        while (matcher.find()) {
            if (matcher.start() <= caret && caret <= matcher.end()) {
                BigDecimal weight = step(new BigDecimal(matcher.group(2)), up);
                boolean plain = weight.compareTo(BigDecimal.ONE) == 0;
                String inner = matcher.group(1);
                String replacement = plain ? inner : "(" + inner + ":" + weight.toPlainString() + ")";
                int inside = Math.max(0, Math.min(inner.length(), caret - matcher.start() - 1));
                int at = matcher.start() + inside + (plain ? 0 : 1);
                return new Result(text.substring(0, matcher.start()) + replacement + text.substring(matcher.end()), at);
            }
        }
        int start = caret;
        while (start > 0 && isInner(text.charAt(start - 1))) {
            start--;
        }
        int end = caret;
        while (end < text.length() && isInner(text.charAt(end))) {
            end++;
        }
        if (start == end) {
            return null;
        }
        String weight = step(BigDecimal.ONE, up).toPlainString();
        String changed = text.substring(0, start) + "(" + text.substring(start, end) + ":" + weight + ")" + text.substring(end);
        return new Result(changed, caret + 1);
    }

    private static BigDecimal step(BigDecimal weight, boolean up) {
        BigDecimal next = (up ? weight.add(STEP) : weight.subtract(STEP)).max(BigDecimal.ZERO).stripTrailingZeros();
        return next.scale() < 1 ? next.setScale(1) : next;
    }

    private static boolean isInner(char c) {
        return !Character.isWhitespace(c) && ",()[]{}:|<>".indexOf(c) < 0;
    }
}
