package kiln.runtime.text;

import java.util.ArrayList;
import java.util.List;

/**
 * Values between commas (RFC 4180) as Python's csv module reads them: quotes may hold commas, lines and doubled quotes; what follows a
 * closing quote belongs to the value; a quote inside of a bare value is a quote; the last value may lack its closing quote. Stateless.
 */
public final class CsvText {
    private CsvText() {}

    /** The values of all lines, without the blanks around them: what the fields of A1111's X/Y/Z plot hold. */
    public static List<String> values(String text) {
        return parse(text, true).stream().flatMap(List::stream).map(String::strip).toList();
    }

    /** Rows in order; empty lines are left out. */
    public static List<List<String>> rows(String text) {
        return parse(text, false);
    }

    private static List<List<String>> parse(String text, boolean skipsBlanks) {
        List<List<String>> rows = new ArrayList<>();
        List<String> row = new ArrayList<>();
        StringBuilder value = new StringBuilder();
        boolean quoted = false;
        boolean begins = true;
        for (int i = 0; i <= text.length(); i++) {
            // The text's end ends the last line.
            char c = i == text.length() ? '\n' : text.charAt(i);
            if (quoted && i < text.length()) {
                if (c != '"') {
                    value.append(c);
                } else if (i + 1 < text.length() && text.charAt(i + 1) == '"') {
                    value.append(c);
                    i++;
                } else {
                    quoted = false;
                }
            } else if (c == '"' && begins) {
                quoted = true;
                begins = false;
            } else if (c == ',') {
                row.add(value.toString());
                value.setLength(0);
                begins = true;
            } else if (c == '\n' || c == '\r') {
                if (!begins || !row.isEmpty()) {
                    row.add(value.toString());
                    rows.add(row);
                }
                row = new ArrayList<>();
                value.setLength(0);
                begins = true;
            } else if (!(skipsBlanks && begins && c == ' ')) {
                value.append(c);
                begins = false;
            }
        }
        return rows;
    }

    /** A value as it is written: in quotes where it needs them. */
    public static String quote(String value) {
        return value.chars().anyMatch(c -> c == ',' || c == '"' || c == '\n' || c == '\r') ? '"' + value.replace("\"", "\"\"") + '"' : value;
    }
}
