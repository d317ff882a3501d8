package kiln.runtime.text;

import java.math.BigDecimal;
import java.util.List;

/** Writes weighted pieces in A1111's attention grammar, so that {@link PromptParser} reads the same pieces again. */
final class PromptPrinter {
    private static final String BREAK = WeightedText.BREAK.text();

    /** Does nothing but to keep what stands on its two sides apart: a lone backslash disappears. */
    private static final char SEPARATOR = '\\';

    private PromptPrinter() {}

    static String print(List<WeightedText> pieces) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < pieces.size(); i++) {
            WeightedText piece = pieces.get(i);
            if (isBreakWord(pieces, i)) {
                // Blanks beside BREAK belong to it, those of the neighbours' texts must not.
                out.append(endsInSpace(pieces.get(i - 1).text()) ? "\\ " : " ").append(BREAK);
                out.append(startsWithSpace(pieces.get(i + 1).text()) ? " \\" : " ");
            } else if (piece.weight() != 1) {
                weighted(out, piece);
            } else if (!piece.text().isEmpty()) {
                text(out, piece.text());
            } else if (pieces.size() > 1 && !isBreakWord(pieces, i - 1) && !isBreakWord(pieces, i + 1)) {
                weighted(out, piece);
            }
        }
        return out.toString();
    }

    private static void weighted(StringBuilder out, WeightedText piece) {
        out.append('(');
        text(out, piece.text());
        if (piece.text().isEmpty()) {
            out.append(SEPARATOR);
        }
        out.append(':').append(BigDecimal.valueOf(piece.weight()).toPlainString()).append(')');
    }

    /** The word BREAK has a piece of weight 1 on both sides, an empty one if need be; a text that only says so may have none. */
    private static boolean isBreakWord(List<WeightedText> pieces, int i) {
        return i > 0
                && i + 1 < pieces.size()
                && pieces.get(i).isBreak()
                && pieces.get(i - 1).weight() == 1
                && pieces.get(i + 1).weight() == 1;
    }

    private static void text(StringBuilder out, String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if ("()[]\\".indexOf(c) >= 0) {
                out.append('\\');
            }
            out.append(c);
            if (text.startsWith(BREAK, i)) {
                out.append(SEPARATOR);
            }
        }
    }

    private static boolean startsWithSpace(String text) {
        return !text.isEmpty() && PythonText.isSpace(text.charAt(0));
    }

    private static boolean endsInSpace(String text) {
        return !text.isEmpty() && PythonText.isSpace(text.charAt(text.length() - 1));
    }
}
