package kiln.runtime.text;

import java.util.ArrayList;
import java.util.List;
import kiln.runtime.base.KilnException;

/** Splits a line into words as Python's {@code shlex.split} does, which is how A1111 reads {@code COMMANDLINE_ARGS} and lines of jobs. */
public final class ShellWords {
    private ShellWords() {}

    /** @throws KilnException when a quotation is not closed */
    public static List<String> split(String line, String name) {
        List<String> words = new ArrayList<>();
        StringBuilder word = null;
        int at = 0;
        while (at < line.length()) {
            char c = line.charAt(at++);
            if (Character.isWhitespace(c)) {
                if (word != null) {
                    words.add(word.toString());
                    word = null;
                }
                continue;
            }
            if (word == null) {
                word = new StringBuilder();
            }
            if (c == '\'') {
                int end = line.indexOf('\'', at);
                if (end < 0) {
                    throw unclosed(name, c);
                }
                word.append(line, at, end);
                at = end + 1;
            } else if (c == '"') {
                at = doubleQuoted(line, at, word, name);
            } else if (c == '\\') {
                if (at == line.length()) {
                    throw KilnException.badRequest(name + " ends with a backslash: nothing follows that it could quote");
                }
                word.append(line.charAt(at++));
            } else {
                word.append(c);
            }
        }
        if (word != null) {
            words.add(word.toString());
        }
        return words;
    }

    private static int doubleQuoted(String line, int begin, StringBuilder word, String name) {
        for (int at = begin; at < line.length(); at++) {
            char c = line.charAt(at);
            if (c == '"') {
                return at + 1;
            }
            // Within double quotes a backslash quotes only itself and the quotation mark.
            if (c == '\\' && at + 1 < line.length() && (line.charAt(at + 1) == '"' || line.charAt(at + 1) == '\\')) {
                c = line.charAt(++at);
            }
            word.append(c);
        }
        throw unclosed(name, '"');
    }

    private static KilnException unclosed(String name, char quote) {
        return KilnException.badRequest(name + " has an opening " + quote + " without a closing one");
    }
}
