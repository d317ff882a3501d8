package kiln.tui.editor;

import kiln.tui.text.Graphemes;

/** A text and a caret that always stands between two clusters. Knows no keys and no screen. */
final class TextBuffer {
    private final StringBuilder text = new StringBuilder();
    private int caret;

    String text() {
        return text.toString();
    }

    int length() {
        return text.length();
    }

    int caret() {
        return caret;
    }

    void caret(int index) {
        caret = Math.max(0, Math.min(text.length(), index));
        // A cluster may have grown around the place, as when a combining mark follows.
        if (caret > 0 && caret < text.length()) {
            int start = Graphemes.previous(text, caret);
            int end = Graphemes.next(text, start);
            caret = Math.max(caret, end);
        }
    }

    void set(String value, int index) {
        text.setLength(0);
        text.append(value);
        caret(index);
    }

    void insert(String addition) {
        text.insert(caret, addition);
        caret(caret + addition.length());
    }

    /** Removes a range and leaves the caret where it was. */
    String delete(int start, int end) {
        String removed = text.substring(start, end);
        text.delete(start, end);
        caret(start);
        return removed;
    }

    int before() {
        return caret == 0 ? 0 : Graphemes.previous(text, caret);
    }

    int after() {
        return caret == text.length() ? caret : Graphemes.next(text, caret);
    }

    /** Where the word before the caret begins. */
    int wordStart() {
        int at = caret;
        while (at > 0 && !isWordAt(Character.codePointBefore(text, at))) {
            at -= Character.charCount(Character.codePointBefore(text, at));
        }
        while (at > 0 && isWordAt(Character.codePointBefore(text, at))) {
            at -= Character.charCount(Character.codePointBefore(text, at));
        }
        return at;
    }

    /** Where the word after the caret ends. */
    int wordEnd() {
        int at = caret;
        while (at < text.length() && !isWordAt(Character.codePointAt(text, at))) {
            at += Character.charCount(Character.codePointAt(text, at));
        }
        while (at < text.length() && isWordAt(Character.codePointAt(text, at))) {
            at += Character.charCount(Character.codePointAt(text, at));
        }
        return at;
    }

    /** Where the run of non-blanks before the caret begins: what ^W takes. */
    int blankStart() {
        int at = caret;
        while (at > 0 && Character.isWhitespace(text.charAt(at - 1))) {
            at--;
        }
        while (at > 0 && !Character.isWhitespace(text.charAt(at - 1))) {
            at--;
        }
        return at;
    }

    int lineStart() {
        return text.lastIndexOf("\n", caret - 1) + 1;
    }

    int lineEnd() {
        int end = text.indexOf("\n", caret);
        return end < 0 ? text.length() : end;
    }

    private static boolean isWordAt(int codePoint) {
        int type = Character.getType(codePoint);
        return Character.isLetterOrDigit(codePoint)
                || codePoint == '_'
                || codePoint == '\''
                || codePoint == 0x200d
                || type == Character.NON_SPACING_MARK
                || type == Character.OTHER_SYMBOL
                || type == Character.SURROGATE;
    }
}
