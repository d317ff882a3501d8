package kiln.runtime.script;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import kiln.runtime.base.KilnException;
import kiln.runtime.text.CsvText;

/**
 * The values of an axis as people write them: between commas, with quotes; for numbers also ranges: {@code 1-5}, {@code 1-10 (+2)},
 * {@code 10-5 (-3)}, and {@code 1-10 [5]} for five of them. Stateless.
 */
final class AxisValues {
    private static final int MOST = 10_000;
    private static final int MOST_PERMUTED = 7;

    private static final String WHOLE = "([+-]?\\s*\\d{1,18})";
    private static final String DECIMAL = "([+-]?\\s*\\d{1,18}(?:\\.\\d{0,18})?)";
    private static final Pattern WHOLE_RANGE =
            Pattern.compile("\\s*" + WHOLE + "\\s*-\\s*" + WHOLE + "(?:\\s*\\(([+-]\\d{1,18})\\s*\\))?\\s*");
    private static final Pattern DECIMAL_RANGE =
            Pattern.compile("\\s*" + DECIMAL + "\\s*-\\s*" + DECIMAL + "(?:\\s*\\(([+-]\\d{1,18}(?:\\.\\d{0,18})?)\\s*\\))?\\s*");
    private static final Pattern WHOLE_COUNT = Pattern.compile("\\s*" + WHOLE + "\\s*-\\s*" + WHOLE + "\\s*\\[(\\d{1,9})\\s*\\]\\s*");
    private static final Pattern DECIMAL_COUNT = Pattern.compile("\\s*" + DECIMAL + "\\s*-\\s*" + DECIMAL + "\\s*\\[(\\d{1,9})\\s*\\]\\s*");

    private AxisValues() {}

    /** Whole numbers. */
    static List<Long> wholes(String axis, String text) {
        List<Long> values = new ArrayList<>();
        for (String value : CsvText.values(text)) {
            Matcher range = WHOLE_RANGE.matcher(value);
            Matcher count = WHOLE_COUNT.matcher(value);
            if (range.matches()) {
                long begin = whole(axis, range.group(1));
                // One beyond the end whichever way it goes, as A1111 has it: 10-4 (-3) does not reach the 4.
                long end = whole(axis, range.group(2)) + 1;
                long step = range.group(3) == null ? 1 : whole(axis, range.group(3));
                checkStep(axis, value, step);
                checkCount(axis, (end - (double) begin) / step);
                for (long at = begin; step > 0 ? at < end : at > end; at += step) {
                    values.add(at);
                }
            } else if (count.matches()) {
                evenly(axis, whole(axis, count.group(1)), whole(axis, count.group(2)), count.group(3))
                        .forEach(at -> values.add((long) (double) at));
            } else if (!value.isEmpty()) {
                values.add(whole(axis, value));
            }
        }
        return checked(axis, values);
    }

    /** Any numbers. */
    static List<Double> decimals(String axis, String text) {
        List<Double> values = new ArrayList<>();
        for (String value : CsvText.values(text)) {
            Matcher range = DECIMAL_RANGE.matcher(value);
            Matcher count = DECIMAL_COUNT.matcher(value);
            if (range.matches()) {
                double begin = decimal(axis, range.group(1));
                double end = decimal(axis, range.group(2));
                double step = range.group(3) == null ? 1 : decimal(axis, range.group(3));
                checkStep(axis, value, step);
                double steps = Math.ceil((end + step - begin) / step);
                checkCount(axis, steps);
                for (int i = 0; i < steps; i++) {
                    values.add(begin + i * step);
                }
            } else if (count.matches()) {
                values.addAll(evenly(axis, decimal(axis, count.group(1)), decimal(axis, count.group(2)), count.group(3)));
            } else if (!value.isEmpty()) {
                values.add(decimal(axis, value));
            }
        }
        return checked(axis, values);
    }

    static List<String> texts(String axis, String text) {
        return checked(axis, CsvText.values(text));
    }

    /** All orders of the values, those that change the last ones first. */
    static List<List<String>> permutations(String axis, String text) {
        List<String> values = texts(axis, text);
        if (values.size() > MOST_PERMUTED) {
            throw KilnException.badRequest(
                    axis + ": the orders of " + values.size() + " words are too many: give at most " + MOST_PERMUTED);
        }
        List<List<String>> orders = new ArrayList<>();
        permute(new ArrayList<>(), values, orders);
        return orders;
    }

    private static void permute(List<String> begun, List<String> left, List<List<String>> orders) {
        if (left.isEmpty()) {
            orders.add(List.copyOf(begun));
        }
        for (int i = 0; i < left.size(); i++) {
            List<String> others = new ArrayList<>(left);
            begun.add(others.remove(i));
            permute(begun, others, orders);
            begun.remove(begun.size() - 1);
        }
    }

    private static List<Double> evenly(String axis, double begin, double end, String number) {
        checkCount(axis, Double.parseDouble(number));
        int count = Integer.parseInt(number);
        List<Double> values = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            values.add(i == count - 1 && i > 0 ? end : begin + i * ((end - begin) / Math.max(1, count - 1)));
        }
        return values;
    }

    private static <T> List<T> checked(String axis, List<T> values) {
        checkCount(axis, values.size());
        if (values.isEmpty()) {
            throw KilnException.badRequest("the axis " + axis + " has no values");
        }
        return values;
    }

    private static void checkStep(String axis, String value, double step) {
        if (step == 0) {
            throw KilnException.badRequest(axis + ": " + value + " never ends: its step is 0");
        }
    }

    private static void checkCount(String axis, double count) {
        if (count > MOST) {
            throw KilnException.badRequest("the axis " + axis + " has more than " + MOST + " values");
        }
    }

    private static long whole(String axis, String text) {
        try {
            return Long.parseLong(text.replace(" ", ""));
        } catch (NumberFormatException e) {
            throw misfit(axis, text, "a whole number or a range of them, as 1-5");
        }
    }

    private static double decimal(String axis, String text) {
        try {
            double value = Double.parseDouble(text.replace(" ", "").toLowerCase(Locale.ROOT));
            if (Double.isFinite(value)) {
                return value;
            }
        } catch (NumberFormatException e) {
            // Told below.
        }
        throw misfit(axis, text, "a number or a range, as 1-2 (+0.5)");
    }

    private static KilnException misfit(String axis, String text, String needed) {
        String shown = text.length() > 40 ? text.substring(0, 40) + "…" : text;
        return KilnException.badRequest(axis + ": \"" + shown.replaceAll("\\p{Cntrl}", "?") + "\" is not " + needed);
    }
}
