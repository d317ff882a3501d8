package kiln.runtime.base;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Which of many named things are meant: those whose names hold every one of some words, whatever the case of their letters. No word means
 * all. Immutable.
 */
public record Selection(List<String> words) {
    public static final Selection ALL = new Selection(List.of());

    public Selection {
        words = words.stream().map(word -> word.toLowerCase(Locale.ROOT)).toList();
    }

    /** @param text words with blanks between; {@code null} for all */
    public static Selection of(String text) {
        return text == null || text.isBlank() ? ALL : new Selection(Arrays.asList(text.strip().split("\\s+")));
    }

    public boolean takes(String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        return words.stream().allMatch(lower::contains);
    }
}
