package kiln.runtime.text;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/** HTML's character references, read as Python's {@code html.unescape} and as ftfy read them. */
final class HtmlEntities {
    private static final String FILE = "entities.txt.gz";
    private static final int LONGEST_NAME = 32;
    private static final int LONGEST_FTFY_NAME = 24;

    /** Names without the ampersand; those with a leading "^" are known to ftfy only. */
    private static final Map<String, String> NAMES = names();

    /** What the numbers 0x80-0x9f mean: Windows-1252, its five gaps left as they are. */
    private static final String WINDOWS_1252 = "\u20ac\u0081\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u008d\u017d\u008f"
            + "\u0090\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u009d\u017e\u0178";

    private HtmlEntities() {}

    static char windows1252(int control) {
        return WINDOWS_1252.charAt(control - 0x80);
    }

    /** As Python's: also without a semicolon, and then the longest name that fits. */
    static String unescape(String text) {
        int at = text.indexOf('&');
        if (at < 0) {
            return text;
        }
        StringBuilder out = new StringBuilder(text.length());
        int copied = 0;
        while (at >= 0) {
            int end = at + 1 < text.length() && text.charAt(at + 1) == '#' ? numberEnd(text, at) : nameEnd(text, at);
            if (end < 0) {
                at = text.indexOf('&', at + 1);
                continue;
            }
            out.append(text, copied, at);
            String reference = text.substring(at + 1, end);
            if (reference.charAt(0) == '#') {
                appendNumber(out, reference);
            } else {
                appendName(out, reference);
            }
            copied = end;
            at = text.indexOf('&', end);
        }
        return out.append(text, copied, text.length()).toString();
    }

    /** As ftfy's: only what ends in a semicolon, and all-capitals names too. */
    static String unescapeUnambiguous(String text) {
        int at = text.indexOf('&');
        if (at < 0) {
            return text;
        }
        StringBuilder out = new StringBuilder(text.length());
        int copied = 0;
        while (at >= 0) {
            int start = at + 1 < text.length() && text.charAt(at + 1) == '#' ? at + 2 : at + 1;
            int end = start;
            while (end < text.length() && end - start < LONGEST_FTFY_NAME && isAsciiLetterOrDigit(text.charAt(end))) {
                end++;
            }
            if (end > start && end < text.length() && text.charAt(end) == ';') {
                String name = text.substring(at + 1, end + 1);
                String value = name.charAt(0) == '#' ? number(text.substring(at, end + 1)) : NAMES.getOrDefault(name, NAMES.get("^" + name));
                if (value != null) {
                    out.append(text, copied, at).append(value);
                    copied = end + 1;
                }
                at = text.indexOf('&', end + 1);
            } else {
                at = text.indexOf('&', at + 1);
            }
        }
        return out.append(text, copied, text.length()).toString();
    }

    private static String number(String reference) {
        String value = unescape(reference);
        return value.indexOf(';') >= 0 ? null : value;
    }

    private static int numberEnd(String text, int at) {
        int i = at + 2;
        boolean hex = i < text.length() && (text.charAt(i) == 'x' || text.charAt(i) == 'X');
        int start = hex ? i + 1 : i;
        i = start;
        while (i < text.length() && (hex ? isHexDigit(text.charAt(i)) : Character.isDigit(text.codePointAt(i)))) {
            i += Character.charCount(text.codePointAt(i));
        }
        if (i == start) {
            return -1;
        }
        return i < text.length() && text.charAt(i) == ';' ? i + 1 : i;
    }

    private static int nameEnd(String text, int at) {
        int i = at + 1;
        for (int n = 0; n < LONGEST_NAME && i < text.length() && "\t\n\f <&#;".indexOf(text.charAt(i)) < 0; n++) {
            i += Character.charCount(text.codePointAt(i));
        }
        if (i == at + 1) {
            return -1;
        }
        return i < text.length() && text.charAt(i) == ';' ? i + 1 : i;
    }

    private static void appendNumber(StringBuilder out, String reference) {
        boolean hex = reference.charAt(1) == 'x' || reference.charAt(1) == 'X';
        int number = 0;
        for (int i = hex ? 2 : 1; i < reference.length() && reference.charAt(i) != ';'; ) {
            int c = reference.codePointAt(i);
            number = Math.min(number * (hex ? 16 : 10) + Character.digit(c, 16), Character.MAX_CODE_POINT + 1);
            i += Character.charCount(c);
        }
        if (number == 0 || number > Character.MAX_CODE_POINT || number >= 0xD800 && number <= 0xDFFF) {
            out.append('\ufffd');
        } else if (number >= 0x80 && number <= 0x9f) {
            out.append(windows1252(number));
        } else if (!isDropped(number)) {
            out.appendCodePoint(number);
        }
    }

    /** Control characters and non-characters, which HTML forbids and Python drops. */
    private static boolean isDropped(int number) {
        return number < 0x20 && number != '\t' && number != '\n' && number != '\f' && number != '\r'
                || number == 0x7f
                || number >= 0xfdd0 && number <= 0xfdef
                || (number & 0xfffe) == 0xfffe;
    }

    private static void appendName(StringBuilder out, String reference) {
        String whole = NAMES.get(reference);
        if (whole != null) {
            out.append(whole);
            return;
        }
        for (int end = Math.min(reference.length() - 1, LONGEST_NAME); end > 1; end--) {
            String value = NAMES.get(reference.substring(0, end));
            if (value != null) {
                out.append(value).append(reference, end, reference.length());
                return;
            }
        }
        out.append('&').append(reference);
    }

    private static boolean isAsciiLetterOrDigit(char c) {
        return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z';
    }

    private static boolean isHexDigit(char c) {
        return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F';
    }

    private static Map<String, String> names() {
        Map<String, String> names = new HashMap<>(8192);
        try (BufferedReader in = new BufferedReader(new InputStreamReader(Resources.open(FILE), StandardCharsets.UTF_8))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                String[] parts = line.split(" ");
                StringBuilder value = new StringBuilder();
                for (int i = 1; i < parts.length; i++) {
                    value.appendCodePoint(Integer.parseInt(parts[i], 16));
                }
                names.put(parts[0], value.toString());
            }
        } catch (IOException e) {
            throw Resources.broken(FILE, e);
        }
        return names;
    }
}
