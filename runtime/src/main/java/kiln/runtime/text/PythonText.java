package kiln.runtime.text;

/** What Python's regular expressions mean by a word, a space and a number: the originals' grammar is written in them. */
final class PythonText {
    private PythonText() {}

    /** {@code \w}: letters, digits and other numbers of all scripts, and the underscore. */
    static boolean isWord(int codePoint) {
        int kind = Characters.kind(codePoint);
        return codePoint == '_' || kind == Characters.LETTER || kind == Characters.NUMBER;
    }

    /** {@code \s}. */
    static boolean isSpace(int codePoint) {
        return codePoint == ' ' || Characters.isPythonSpace(codePoint);
    }

    /** Where {@code \bWORD\b} next matches from {@code from} on, or -1. */
    static int indexOfWord(String text, String word, int from) {
        for (int at = text.indexOf(word, from); at >= 0; at = text.indexOf(word, at + 1)) {
            int end = at + word.length();
            boolean startsWord = at == 0 || !isWord(text.codePointBefore(at));
            if (startsWord && (end == text.length() || !isWord(text.codePointAt(end)))) {
                return at;
            }
        }
        return -1;
    }

    /** Where the run of spaces that ends at {@code end} begins, at the earliest at {@code from}. */
    static int spaceStart(String text, int from, int end) {
        int i = end;
        while (i > from && isSpace(text.charAt(i - 1))) {
            i--;
        }
        return i;
    }

    /** Where the run of spaces that begins at {@code start} ends. */
    static int spaceEnd(String text, int start) {
        int i = start;
        while (i < text.length() && isSpace(text.charAt(i))) {
            i++;
        }
        return i;
    }

    /** Digits of any script as ASCII, as {@code float} reads them. */
    static String asciiDigits(String number) {
        StringBuilder ascii = new StringBuilder(number.length());
        for (int i = 0; i < number.length(); ) {
            int c = number.codePointAt(i);
            int value = Character.digit(c, 10);
            if (value < 0 || c < 0x80) {
                ascii.appendCodePoint(c);
            } else {
                ascii.append(value);
            }
            i += Character.charCount(c);
        }
        return ascii.toString();
    }
}
