package kiln.runtime.job;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.StringJoiner;

/**
 * The text that says how a picture was made, as A1111 writes it into a PNG's "parameters": the prompt, the negative prompt, and a
 * last line of {@code Key: value} pairs. Immutable. {@link InfoTextWriter} makes one of a request, {@link InfoTextReader} a request of one.
 *
 * @param parameters the last line's pairs in order, values unquoted, sizes as "512x768"
 */
public record InfoText(String prompt, String negativePrompt, Map<String, String> parameters) {
    /** The PNG keyword that the text lies under. */
    public static final String PNG_KEYWORD = "parameters";

    private static final String NEGATIVE_PROMPT = "Negative prompt:";
    /** A last line with fewer pairs belongs to the prompt. */
    private static final int LEAST_PARAMETERS = 3;

    public InfoText {
        Objects.requireNonNull(prompt, "prompt");
        Objects.requireNonNull(negativePrompt, "negativePrompt");
        parameters = Collections.unmodifiableMap(new LinkedHashMap<>(parameters));
    }

    /** With more parameters, before the version where there is one. */
    public InfoText withMore(Map<String, String> more) {
        Map<String, String> all = new LinkedHashMap<>(parameters);
        String version = all.remove("Version");
        all.putAll(more);
        if (version != null) {
            all.put("Version", version);
        }
        return new InfoText(prompt, negativePrompt, all);
    }

    /** The whole text. */
    public String format() {
        StringJoiner pairs = new StringJoiner(", ");
        parameters.forEach((key, value) -> pairs.add(key.equals(value) ? key : key + ": " + quote(value)));
        StringBuilder text = new StringBuilder(prompt);
        if (!negativePrompt.isEmpty()) {
            text.append('\n').append(NEGATIVE_PROMPT).append(' ').append(negativePrompt);
        }
        return text.append('\n').append(pairs).toString();
    }

    /** As a JSON string when it holds a character that would end it, else as it is. */
    static String quote(String value) {
        if (value.chars().noneMatch(c -> c == ',' || c == '\n' || c == ':')) {
            return value;
        }
        StringBuilder quoted = new StringBuilder("\"");
        for (char c : value.toCharArray()) {
            switch (c) {
                case '"' -> quoted.append("\\\"");
                case '\\' -> quoted.append("\\\\");
                case '\n' -> quoted.append("\\n");
                case '\r' -> quoted.append("\\r");
                case '\t' -> quoted.append("\\t");
                default -> {
                    if (c < ' ') {
                        quoted.append(String.format("\\u%04x", (int) c));
                    } else {
                        quoted.append(c);
                    }
                }
            }
        }
        return quoted.append('"').toString();
    }

    /** Reads any such text: whatever cannot be understood counts as prompt. */
    public static InfoText parse(String text) {
        List<String> lines = new ArrayList<>(Arrays.asList(text.strip().split("\n", -1)));
        Map<String, String> parameters = new LinkedHashMap<>();
        if (parsePairs(lines.get(lines.size() - 1), parameters) < LEAST_PARAMETERS) {
            parameters.clear();
        } else {
            lines.remove(lines.size() - 1);
        }
        StringBuilder prompt = new StringBuilder();
        StringBuilder negative = null;
        for (String line : lines) {
            String stripped = line.strip();
            if (stripped.startsWith(NEGATIVE_PROMPT)) {
                negative = negative == null ? new StringBuilder() : negative;
                stripped = stripped.substring(NEGATIVE_PROMPT.length()).strip();
            }
            StringBuilder part = negative == null ? prompt : negative;
            part.append(part.isEmpty() ? "" : "\n").append(stripped);
        }
        return new InfoText(prompt.toString(), negative == null ? "" : negative.toString(), parameters);
    }

    /**
     * Keys are runs of word characters, spaces, "-" and "/", two at least, before a colon; values are quoted or go up to a comma.
     * Written by hand because regular expressions recurse on long values.
     *
     * @return how many there are, those with empty values included, which A1111 counts and then drops
     */
    private static int parsePairs(String line, Map<String, String> pairs) {
        int count = 0;
        int at = 0;
        while (at < line.length()) {
            if (!isWord(line.charAt(at))) {
                at++;
                continue;
            }
            int end = at;
            while (end < line.length() && (isWord(line.charAt(end)) || " -/".indexOf(line.charAt(end)) >= 0)) {
                end++;
            }
            if (end == line.length() || line.charAt(end) != ':' || end - at < 2) {
                at = end;
                continue;
            }
            String key = line.substring(at, end);
            int begin = end + 1;
            while (begin < line.length() && Character.isWhitespace(line.charAt(begin))) {
                begin++;
            }
            int close = closingQuote(line, begin);
            count++;
            if (close > 0) {
                pairs.put(key, unquote(line, begin + 1, close));
                at = close + 1;
            } else {
                int comma = line.indexOf(',', begin);
                at = comma < 0 ? line.length() : comma;
                if (begin < at) {
                    pairs.put(key, line.substring(begin, at));
                }
            }
        }
        return count;
    }

    private static boolean isWord(char c) {
        return Character.isLetterOrDigit(c) || c == '_';
    }

    /** Where the quoted string that begins at {@code begin} ends, or -1 when none does that a comma or the line's end follows. */
    private static int closingQuote(String line, int begin) {
        if (begin >= line.length() || line.charAt(begin) != '"') {
            return -1;
        }
        for (int i = begin + 1; i < line.length(); i++) {
            if (line.charAt(i) == '\\') {
                i++;
            } else if (line.charAt(i) == '"') {
                return i + 1 == line.length() || line.charAt(i + 1) == ',' ? i : -1;
            }
        }
        return -1;
    }

    private static String unquote(String line, int begin, int end) {
        StringBuilder value = new StringBuilder();
        for (int i = begin; i < end; i++) {
            char c = line.charAt(i);
            if (c == '\\' && i + 1 < end) {
                c = line.charAt(++i);
                switch (c) {
                    case 'n' -> c = '\n';
                    case 'r' -> c = '\r';
                    case 't' -> c = '\t';
                    case 'u' -> {
                        if (i + 4 < end && line.substring(i + 1, i + 5).chars().allMatch(d -> Character.digit(d, 16) >= 0)) {
                            c = (char) Integer.parseInt(line.substring(i + 1, i + 5), 16);
                            i += 4;
                        }
                    }
                    default -> { }
                }
            }
            value.append(c);
        }
        return value.toString();
    }
}
