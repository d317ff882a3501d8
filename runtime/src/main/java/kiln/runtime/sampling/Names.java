package kiln.runtime.sampling;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import kiln.runtime.base.NearestName;

/** Compares names as people type them, and finds what a mistyped one may have meant. */
final class Names {
    private static final int SUGGESTIONS = 3;
    private static final int LONGEST_COMPARED = 64;

    private Names() {}

    /** The {@code known} names nearest to {@code name}, case apart, as "a, b or c": those that contain it, then by edit distance. */
    static String nearest(String name, Collection<String> known) {
        String wanted = fold(name.length() > LONGEST_COMPARED ? name.substring(0, LONGEST_COMPARED) : name);
        List<String> sorted = new ArrayList<>(known);
        sorted.sort(Comparator.comparingInt(
                candidate -> fold(candidate).contains(wanted) ? 0 : NearestName.edits(wanted, fold(candidate))));
        List<String> best = sorted.subList(0, Math.min(SUGGESTIONS, sorted.size()));
        int last = best.size() - 1;
        return String.join(", ", best.subList(0, last)) + (last > 0 ? " or " : "") + best.get(last);
    }

    /** A user's text fit for a one-line message. */
    static String quoted(String name) {
        String text = name.length() > LONGEST_COMPARED ? name.substring(0, LONGEST_COMPARED) + "…" : name;
        return '"' + text.replaceAll("\\p{Cntrl}", "?") + '"';
    }

    /** A name without what people spell differently: case, blanks and marks; "DPM++ 2M" and "dpmpp_2m" become the same. */
    static String fold(String name) {
        StringBuilder folded = new StringBuilder();
        name.toLowerCase(Locale.ROOT).replace("++", "pp").codePoints().filter(Character::isLetterOrDigit).forEach(folded::appendCodePoint);
        return folded.toString();
    }
}
