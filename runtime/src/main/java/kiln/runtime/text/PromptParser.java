package kiln.runtime.text;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A1111's attention grammar: {@code (x)} ×1.1, {@code [x]} ÷1.1, {@code (x:1.3)} ×1.3, nesting multiplies, a backslash makes the next
 * bracket literal, an unclosed bracket acts to the end, and the word {@code BREAK} closes a chunk.
 *
 * <p>Its corners are kept, so that the same prompt gives the same picture: {@code [x:1.3]} is no weight, and BREAK inside weighted
 * brackets gets their weight and so becomes a word. The time is linear in the length of the text times the depth of its brackets.
 */
public final class PromptParser {
    private static final double ROUND = 1.1;
    private static final double SQUARE = 1 / 1.1;

    /** A colon, a weight and the bracket that closes. */
    private static final Pattern WEIGHT =
            Pattern.compile(":\\s*+([+-]?[.\\p{Nd}]++)\\s*+\\)", Pattern.UNICODE_CHARACTER_CLASS);
    private static final Pattern NUMBER = Pattern.compile("[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)");
    private static final String BREAK = WeightedText.BREAK.text();

    private final String prompt;
    private final List<String> texts = new ArrayList<>();
    private double[] weights = new double[16];
    private final Deque<Integer> round = new ArrayDeque<>();
    private final Deque<Integer> square = new ArrayDeque<>();

    private PromptParser(String prompt) {
        this.prompt = prompt;
    }

    /**
     * The prompt's pieces in order, neighbours of equal weight joined; an empty prompt is one empty piece. Every text can be read: what
     * only looks like a weight, as in {@code (cat:1.2.3)}, where A1111 gives up, is text.
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
                    round.push(texts.size());
                    i++;
                }
                case '[' -> {
                    square.push(texts.size());
                    i++;
                }
                case ')' -> i = close(i, round, ROUND);
                case ']' -> i = close(i, square, SQUARE);
                case ':' -> {
                    weight.region(i, prompt.length());
                    double factor = weight.lookingAt() ? number(weight.group(1)) : Double.NaN;
                    if (Double.isNaN(factor)) {
                        add(":");
                        i++;
                    } else if (round.isEmpty()) {
                        add(weight.group());
                        i = weight.end();
                    } else {
                        multiply(round.pop(), factor);
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
        int from = 0;
        for (int at = PythonText.indexOfWord(text, BREAK, 0); at >= 0; at = PythonText.indexOfWord(text, BREAK, from)) {
            add(text.substring(from, PythonText.spaceStart(text, from, at)));
            add(BREAK, WeightedText.BREAK.weight());
            from = PythonText.spaceEnd(text, at + BREAK.length());
        }
        add(text.substring(from));
    }

    private void add(String text) {
        add(text, 1);
    }

    private void add(String text, double weight) {
        if (texts.size() == weights.length) {
            weights = Arrays.copyOf(weights, 2 * weights.length);
        }
        weights[texts.size()] = weight;
        texts.add(text);
    }

    private void multiply(int from, double factor) {
        for (int i = from; i < texts.size(); i++) {
            weights[i] *= factor;
        }
    }

    /** Finite; zero times what is beyond all numbers is zero, and there is no negative zero. */
    private static double limited(double weight) {
        return Double.isNaN(weight) ? 0 : Math.max(-Double.MAX_VALUE, Math.min(Double.MAX_VALUE, weight)) + 0.0;
    }

    /** The number that digits and dots make, or NaN. */
    private static double number(String digits) {
        String ascii = PythonText.asciiDigits(digits);
        double number = NUMBER.matcher(ascii).matches() ? Double.parseDouble(ascii) : Double.NaN;
        return Double.isFinite(number) ? number + 0.0 : Double.NaN;
    }

    private List<WeightedText> joined() {
        if (texts.isEmpty()) {
            return List.of(new WeightedText("", 1));
        }
        for (int i = 0; i < texts.size(); i++) {
            weights[i] = limited(weights[i]);
        }
        List<WeightedText> out = new ArrayList<>();
        StringBuilder text = new StringBuilder(texts.get(0));
        double weight = weights[0];
        for (int i = 1; i < texts.size(); i++) {
            if (weights[i] != weight) {
                out.add(new WeightedText(text.toString(), weight));
                text.setLength(0);
                weight = weights[i];
            }
            text.append(texts.get(i));
        }
        out.add(new WeightedText(text.toString(), weight));
        return List.copyOf(out);
    }
}
