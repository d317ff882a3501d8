package kiln.runtime.text;

import java.text.Normalizer;
import java.util.regex.Pattern;

/**
 * What CLIP's tokenizers do to a text before they look for words: ftfy's repairs (wrongly decoded text, straight quotes, ordinary widths,
 * composed letters, no control characters, HTML's character references where no "&lt;" makes them look intended), one space between
 * words, lower case.
 *
 * <p>The text encoder was trained on text cleaned like this; a curly quote or a fullwidth comma would reach it as tokens that it
 * hardly ever saw.
 */
final class TextCleaning {
    private static final Pattern TERMINAL_ESCAPE = Pattern.compile("\u001b\\[[\\p{Nd};]*[a-zA-Z]");
    private static final int FIRST_WIDE = 0xFF01;
    private static final int LAST_WIDE = 0xFFEF;

    /** "&amp;amp;amp;…" loses one level a pass; beyond this many it is no text but an attempt to keep us busy. */
    private static final int MOST_PASSES = 64;

    /** The normalizer's time grows with the square of a run of marks: text goes through it in windows of this to twice this many. */
    private static final int WINDOW = 512;

    private TextCleaning() {}

    /**
     * @param allReferences also reads the references that ftfy leaves, twice over, as open_clip does
     */
    static String clean(String text, boolean allReferences) {
        if (isPlain(text)) {
            return Characters.lower(collapse(text));
        }
        String repaired = repair(text);
        return Characters.lower(collapse(allReferences ? HtmlEntities.unescape(HtmlEntities.unescape(repaired)) : repaired));
    }

    /** Printable ASCII without references: the usual prompt, which needs no repair. */
    private static boolean isPlain(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '&' || c > '~' || c < ' ' && c != '\n' && c != '\t') {
                return false;
            }
        }
        return true;
    }

    /** Line by line; from the first line with a "&lt;" on, references are taken for text about HTML and stay. */
    private static String repair(String text) {
        StringBuilder out = new StringBuilder(text.length());
        boolean unescape = true;
        for (int start = 0; start < text.length(); ) {
            int end = text.indexOf('\n', start) + 1;
            if (end == 0) {
                end = text.length();
            }
            String line = text.substring(start, end);
            unescape &= line.indexOf('<') < 0;
            out.append(repairLine(line, unescape));
            start = end;
        }
        return out.toString();
    }

    /** Until nothing changes: a repaired character may complete another thing to repair. */
    private static String repairLine(String line, boolean unescape) {
        String text = line;
        for (int pass = 0; pass < MOST_PASSES; pass++) {
            String before = text;
            if (unescape) {
                text = HtmlEntities.unescapeUnambiguous(text);
            }
            text = Mojibake.mend(text);
            text = replaceCharacters(text);
            text = TERMINAL_ESCAPE.matcher(text).replaceAll("");
            text = removeControls(text);
            text = compose(text);
            if (text.equals(before)) {
                break;
            }
        }
        return text;
    }

    /** Composed letters (NFC), in windows that end before a character which nothing before it can take in. */
    private static String compose(String text) {
        if (text.length() <= 2 * WINDOW) {
            return Normalizer.normalize(text, Normalizer.Form.NFC);
        }
        StringBuilder out = new StringBuilder(text.length());
        for (int start = 0; start < text.length(); ) {
            int last = Math.min(text.length(), start + 2 * WINDOW);
            int end = Math.min(text.length(), start + WINDOW);
            while (end < last && !startsAfresh(text.charAt(end))) {
                end++;
            }
            out.append(Normalizer.normalize(text.substring(start, end), Normalizer.Form.NFC));
            start = end;
        }
        return out.toString();
    }

    private static boolean startsAfresh(char c) {
        return switch (Character.getType(c)) {
            case Character.NON_SPACING_MARK, Character.COMBINING_SPACING_MARK, Character.ENCLOSING_MARK, Character.SURROGATE -> false;
            default -> c < '\u1100' || c > '\u11ff';
        };
    }

    private static String replaceCharacters(String text) {
        StringBuilder out = new StringBuilder(text.length());
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c >= 0x80 && c <= 0x9f) {
                c = HtmlEntities.windows1252(c);
            }
            String ligature = c < 0x132 || c > 0x1f3 && c < 0xfb00 ? null : ligature(c);
            if (ligature != null) {
                out.append(ligature);
            } else if (c == '\u3000') {
                out.append(' ');
            } else if (c >= FIRST_WIDE && c <= LAST_WIDE) {
                out.append(Normalizer.normalize(String.valueOf(c), Normalizer.Form.NFKC));
            } else if (c >= '\u201c' && c <= '\u201f') {
                out.append('"');
            } else if (c == '\u02bc' || c >= '\u2018' && c <= '\u201b') {
                out.append('\'');
            } else if (c == '\r' || c == '\u2028' || c == '\u2029' || c == '\u0085') {
                out.append('\n');
            } else if (isUnpaired(text, i)) {
                out.append('\ufffd');
            } else {
                out.append(c);
            }
        }
        return out.toString();
    }

    private static boolean isUnpaired(String text, int i) {
        char c = text.charAt(i);
        if (Character.isHighSurrogate(c)) {
            return i + 1 == text.length() || !Character.isLowSurrogate(text.charAt(i + 1));
        }
        return Character.isLowSurrogate(c) && (i == 0 || !Character.isHighSurrogate(text.charAt(i - 1)));
    }

    /** Latin ligatures and digraphs that stand for two letters; other scripts' and œ, æ stay. */
    private static String ligature(char c) {
        return switch (c) {
            case '\u0132' -> "IJ";
            case '\u0133' -> "ij";
            case '\u0149' -> "'n";
            case '\u01c4' -> "D\u017d";
            case '\u01c5' -> "D\u017e";
            case '\u01c6' -> "d\u017e";
            case '\u01c7' -> "LJ";
            case '\u01c8' -> "Lj";
            case '\u01c9' -> "lj";
            case '\u01ca' -> "NJ";
            case '\u01cb' -> "Nj";
            case '\u01cc' -> "nj";
            case '\u01f1' -> "DZ";
            case '\u01f2' -> "Dz";
            case '\u01f3' -> "dz";
            case '\ufb00' -> "ff";
            case '\ufb01' -> "fi";
            case '\ufb02' -> "fl";
            case '\ufb03' -> "ffi";
            case '\ufb04' -> "ffl";
            case '\ufb05' -> "\u017ft";
            case '\ufb06' -> "st";
            default -> null;
        };
    }

    private static String removeControls(String text) {
        StringBuilder out = new StringBuilder(text.length());
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            boolean removed = c < ' ' && c != '\t' && c != '\n' && c != '\f' && c != '\r'
                    || c == 0x7f
                    || c >= '\u206a' && c <= '\u206f'
                    || c == '\ufeff'
                    || c >= '\ufff9' && c <= '\ufffc';
            if (!removed) {
                out.append(c);
            }
        }
        return out.toString();
    }

    /** Python's {@code " ".join(text.split())}. */
    private static String collapse(String text) {
        StringBuilder out = new StringBuilder(text.length());
        boolean gap = false;
        for (int i = 0; i < text.length(); ) {
            int c = text.codePointAt(i);
            i += Character.charCount(c);
            if (c == ' ' || Characters.isPythonSpace(c)) {
                gap = true;
                continue;
            }
            if (gap && out.length() > 0) {
                out.append(' ');
            }
            gap = false;
            out.appendCodePoint(c);
        }
        return out.toString();
    }
}
