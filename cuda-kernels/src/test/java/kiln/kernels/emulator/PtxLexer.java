package kiln.kernels.emulator;

import java.util.ArrayList;
import java.util.List;

/** Splits PTX text into words (with their dots), numbers, strings and punctuation. */
final class PtxLexer {
    /** One token; {@code kind} is 'w' for a word, 'n' for a number, 's' for a string, 'e' for the end, else the punctuation itself. */
    record Token(char kind, String text, int line) {
        boolean is(String wanted) {
            return text.equals(wanted);
        }
    }

    private final String text;
    private int position;
    private int line = 1;

    private PtxLexer(String text) {
        this.text = text;
    }

    static List<Token> tokens(String text) {
        PtxLexer lexer = new PtxLexer(text);
        List<Token> tokens = new ArrayList<>();
        Token token;
        do {
            token = lexer.next();
            tokens.add(token);
        } while (token.kind != 'e');
        return tokens;
    }

    private Token next() {
        skipBlanks();
        if (position >= text.length()) {
            return new Token('e', "end of text", line);
        }
        int start = position;
        char c = text.charAt(position);
        if (Character.isDigit(c)) {
            while (position < text.length() && isNumberPart(text.charAt(position), start)) {
                position++;
            }
            return new Token('n', text.substring(start, position), line);
        }
        if (isWordStart(c)) {
            position++;
            while (position < text.length()) {
                char d = text.charAt(position);
                if (c == '.' && d == '.') {
                    // Directives may stand together, as .reg.b32 does.
                    break;
                }
                if (isWordStart(d) || Character.isDigit(d)) {
                    position++;
                } else if (d == ':' && position + 1 < text.length() && text.charAt(position + 1) == ':') {
                    position += 2;
                } else {
                    break;
                }
            }
            return new Token('w', text.substring(start, position), line);
        }
        if (c == '"') {
            int end = text.indexOf('"', position + 1);
            if (end < 0) {
                throw new PtxException(line, "a string without its end");
            }
            position = end + 1;
            return new Token('s', text.substring(start + 1, end), line);
        }
        if (",;:()[]{}<>@!|+-*=".indexOf(c) < 0) {
            throw new PtxException(line, "unexpected character '" + c + "'");
        }
        position++;
        return new Token(c, String.valueOf(c), line);
    }

    private boolean isNumberPart(char c, int start) {
        if (Character.isLetterOrDigit(c) || c == '.') {
            return true;
        }
        char before = text.charAt(position - 1);
        boolean decimal = !text.startsWith("0x", start) && !text.startsWith("0f", start) && !text.startsWith("0d", start)
                && !text.startsWith("0X", start) && !text.startsWith("0F", start) && !text.startsWith("0D", start);
        return (c == '-' || c == '+') && decimal && (before == 'e' || before == 'E');
    }

    private static boolean isWordStart(char c) {
        return Character.isLetter(c) || c == '.' || c == '%' || c == '_' || c == '$';
    }

    private void skipBlanks() {
        while (position < text.length()) {
            char c = text.charAt(position);
            if (c == '\n') {
                line++;
                position++;
            } else if (Character.isWhitespace(c) || c == 0) {
                position++;
            } else if (text.startsWith("//", position)) {
                int end = text.indexOf('\n', position);
                position = end < 0 ? text.length() : end;
            } else if (text.startsWith("/*", position)) {
                int end = text.indexOf("*/", position);
                if (end < 0) {
                    throw new PtxException(line, "a comment without its end");
                }
                for (; position < end + 2; position++) {
                    if (text.charAt(position) == '\n') {
                        line++;
                    }
                }
            } else {
                return;
            }
        }
    }
}
