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
            if (piece.isBreak()) {
                // Blanks beside BREAK belong to it, those of the neighbours' texts must not.
                boolean before = i > 0 && endsInSpace(pieces.get(i - 1).text());
                boolean after = i + 1 < pieces.size() && startsWithSpace(pieces.get(i + 1).text());
                out.append(before ? "\\ " : " ").append(BREAK).append(after ? " \\" : " ");
            } else if (piece.weight() == 1) {
                text(out, piece.text());
            } else {
                out.append('(');
                text(out, piece.text());
                if (piece.text().isEmpty()) {
                    out.append(SEPARATOR);
                }
                out.append(':').append(BigDecimal.valueOf(piece.weight()).toPlainString()).append(')');
            }
        }
        return out.toString();
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
