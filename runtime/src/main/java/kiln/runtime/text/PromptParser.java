package kiln.runtime.text;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import kiln.runtime.base.KilnException;

/**
 * A1111's attention grammar: {@code (x)} ×1.1, {@code [x]} ÷1.1, {@code (x:1.3)} ×1.3, nesting multiplies, a backslash makes the next
 * bracket literal, an unclosed bracket acts to the end, and the word {@code BREAK} closes a chunk.
 *
 * <p>Its corners are kept, so that the same prompt gives the same picture: {@code [x:1.3]} is no weight, and BREAK inside weighted
 * brackets gets their weight and so becomes a word. Linear in the length of the text.
 */
public final class PromptParser {
    private static final double ROUND = 1.1;
    private static final double SQUARE = 1 / 1.1;

    /** A colon, a weight and the bracket that closes. */
    private static final Pattern WEIGHT =
            Pattern.compile(":\\s*+([+-]?[.\\p{Nd}]++)\\s*+\\)", Pattern.UNICODE_CHARACTER_CLASS);
    private static final Pattern NUMBER = Pattern.compile("[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)");
    private static final Pattern BREAK_WORD =
            Pattern.compile("(?<!\\w)BREAK(?!\\w)", Pattern.UNICODE_CHARACTER_CLASS);

    private final String prompt;
    private final List<Piece> pieces = new ArrayList<>();
    private final Deque<Integer> round = new ArrayDeque<>();
    private final Deque<Integer> square = new ArrayDeque<>();

    private PromptParser(String prompt) {
        this.prompt = prompt;
    }

    /**
     * The prompt's pieces in order, neighbours of equal weight joined; an empty prompt is one empty piece.
     *
     * @throws KilnException (bad request) if a weight is made of digits and dots but is no number, as in {@code (cat:1.2.3)}
     */
    public static List<WeightedText> attention(String prompt) {
        return new PromptParser(prompt).parse();
    }

    private List<WeightedText> parse() {
        Matcher weight = WEIGHT.matcher(prompt);
        int i = 0;
        while (i < prompt.length()) {
            switch (prompt.charAt(i)) {
                case '\\' -> i = escape(i);
                case '(' -> {
                    round.push(pieces.size());
                    i++;
                }
                case '[' -> {
                    square.push(pieces.size());
                    i++;
                }
                case ')' -> i = close(i, round, ROUND);
                case ']' -> i = close(i, square, SQUARE);
                case ':' -> {
                    weight.region(i, prompt.length());
                    if (!weight.lookingAt()) {
                        add(":");
                        i++;
                    } else if (round.isEmpty()) {
                        addWithBreaks(weight.group());
                        i = weight.end();
                    } else {
                        multiply(round.pop(), number(weight.group(1), weight.group()));
                        i = weight.end();
                    }
                }
                default -> {
                    int end = plainEnd(i);
                    addWithBreaks(prompt.substring(i, end));
                    i = end;
                }
            }
        }
        while (!round.isEmpty()) {
            multiply(round.pop(), ROUND);
        }
        while (!square.isEmpty()) {
            multiply(square.pop(), SQUARE);
        }
        return joined();
    }

    private int escape(int backslash) {
        int next = backslash + 1;
        if (next < prompt.length() && "()[]\\".indexOf(prompt.charAt(next)) >= 0) {
            add(prompt.substring(next, next + 1));
            return next + 1;
        }
        add("");
        return next;
    }

    private int close(int at, Deque<Integer> open, double factor) {
        if (open.isEmpty()) {
            add(prompt.substring(at, at + 1));
        } else {
            multiply(open.pop(), factor);
        }
        return at + 1;
    }

    private int plainEnd(int from) {
        int i = from;
        while (i < prompt.length() && "\\()[]:".indexOf(prompt.charAt(i)) < 0) {
            i++;
        }
        return i;
    }

    private void addWithBreaks(String text) {
        Matcher word = BREAK_WORD.matcher(text);
        int from = 0;
        while (word.find()) {
            add(text.substring(from, spaceStart(text, from, word.start())));
            pieces.add(new Piece(WeightedText.BREAK.text(), WeightedText.BREAK.weight()));
            from = spaceEnd(text, word.end());
        }
        add(text.substring(from));
    }

    private static int spaceStart(String text, int from, int end) {
        int i = end;
        while (i > from && isSpace(text.charAt(i - 1))) {
            i--;
        }
        return i;
    }

    private static int spaceEnd(String text, int start) {
        int i = start;
        while (i < text.length() && isSpace(text.charAt(i))) {
            i++;
        }
        return i;
    }

    private static boolean isSpace(char c) {
        return Characters.isPythonSpace(c);
    }

    private void add(String text) {
        pieces.add(new Piece(text, 1));
    }

    private void multiply(int from, double factor) {
        for (int i = from; i < pieces.size(); i++) {
            pieces.get(i).weight *= factor;
        }
    }

    private static double number(String digits, String found) {
        StringBuilder ascii = new StringBuilder(digits.length());
        for (int i = 0; i < digits.length(); ) {
            int c = digits.codePointAt(i);
            int value = Character.digit(c, 10);
            ascii.append(value < 0 ? String.valueOf((char) c) : String.valueOf(value));
            i += Character.charCount(c);
        }
        if (!NUMBER.matcher(ascii).matches()) {
            throw KilnException.badRequest(
                    "prompt: the weight in \"(…" + found + "\" is not a number; write for example (cat:1.2), or \\( and \\) for literal brackets");
        }
        return Double.parseDouble(ascii.toString());
    }

    private List<WeightedText> joined() {
        if (pieces.isEmpty()) {
            return List.of(new WeightedText("", 1));
        }
        List<WeightedText> out = new ArrayList<>();
        StringBuilder text = new StringBuilder(pieces.get(0).text);
        double weight = pieces.get(0).weight;
        for (Piece piece : pieces.subList(1, pieces.size())) {
            if (piece.weight != weight) {
                out.add(new WeightedText(text.toString(), weight));
                text.setLength(0);
                weight = piece.weight;
            }
            text.append(piece.text);
        }
        out.add(new WeightedText(text.toString(), weight));
        return List.copyOf(out);
    }

    private static final class Piece {
        final String text;
        double weight;

        Piece(String text, double weight) {
            this.text = text;
            this.weight = weight;
        }
    }
}
