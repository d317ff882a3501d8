package kiln.runtime.text;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A positive prompt split at the word {@code AND}: each part is a prompt of its own, and the denoiser's answers are added up, each with
 * its weight (composable diffusion, Liu et al. 2022).
 *
 * @param parts at least one
 */
public record CompositePrompt(List<Part> parts) {
    private static final String AND = "AND";

    /** A number as A1111 takes it for a part's weight: no exponent. */
    private static final Pattern WEIGHT =
            Pattern.compile("[-+]?(?:\\p{Nd}+\\.?|\\p{Nd}*\\.\\p{Nd}+)", Pattern.UNICODE_CHARACTER_CLASS);

    public CompositePrompt {
        parts = List.copyOf(parts);
    }

    /**
     * One of the prompts that are added up.
     *
     * @param weight of its guidance; 1 where none is written
     */
    public record Part(String text, double weight) {}

    /** Splits at every AND that is a word of its own and takes {@code : weight} from the end of each part; blanks at the end go too. */
    public static CompositePrompt split(String prompt) {
        List<Part> parts = new ArrayList<>();
        int from = 0;
        for (int at = PythonText.indexOfWord(prompt, AND, 0); at >= 0; at = PythonText.indexOfWord(prompt, AND, from)) {
            parts.add(part(prompt.substring(from, at)));
            from = at + AND.length();
        }
        parts.add(part(prompt.substring(from)));
        return new CompositePrompt(parts);
    }

    private static Part part(String text) {
        int end = PythonText.spaceStart(text, 0, text.length());
        int colon = text.lastIndexOf(':', end - 1);
        if (colon >= 0) {
            Matcher weight = WEIGHT.matcher(text).region(Math.min(end, PythonText.spaceEnd(text, colon + 1)), end);
            if (weight.matches()) {
                double value = Double.parseDouble(PythonText.asciiDigits(weight.group()));
                return new Part(text.substring(0, PythonText.spaceStart(text, 0, colon)), limited(value));
            }
        }
        return new Part(text.substring(0, end), 1);
    }

    /** Finite, and no negative zero. */
    private static double limited(double value) {
        return Math.max(-Double.MAX_VALUE, Math.min(Double.MAX_VALUE, value)) + 0.0;
    }

    /** A prompt that splits into the same parts. */
    @Override
    public String toString() {
        StringBuilder out = new StringBuilder();
        for (Part part : parts) {
            if (out.length() > 0) {
                out.append(' ').append(AND);
            }
            out.append(part.text).append(" :").append(BigDecimal.valueOf(part.weight).toPlainString());
        }
        return out.toString();
    }
}
