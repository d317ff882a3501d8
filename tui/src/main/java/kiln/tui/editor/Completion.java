package kiln.tui.editor;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What the words before the caret may become.
 *
 * @param typed how many characters before the caret stand for the beginning of each candidate
 * @param candidates whole names, at least one
 */
public record Completion(int typed, List<String> candidates) {
    private static final int MIN_TYPED = 2;
    private static final int MAX_WORDS = 4;
    private static final int MAX_CANDIDATES = 50;

    public Completion {
        candidates = List.copyOf(candidates);
    }

    /** The text that the first candidate adds at the caret. */
    public String rest() {
        return candidates.get(0).substring(typed);
    }

    /**
     * Looks for names that begin with the last words before the caret, the longest run of words first; {@code null} when there are
     * none or the caret stands inside a word.
     */
    static Completion find(String text, int caret, List<String> names) {
        if (names.isEmpty() || caret < text.length() && Character.isLetterOrDigit(text.charAt(caret))) {
            return null;
        }
        int floor = caret;
        List<Integer> starts = new ArrayList<>();
        while (floor > 0 && starts.size() < MAX_WORDS && "\n,".indexOf(text.charAt(floor - 1)) < 0) {
            floor--;
            if (floor == 0 || !isWord(text.charAt(floor - 1)) && isWord(text.charAt(floor))) {
                starts.add(floor);
            }
        }
        for (int i = starts.size() - 1; i >= 0; i--) {
            String typed = text.substring(starts.get(i), caret).toLowerCase(Locale.ROOT);
            if (typed.length() < MIN_TYPED || !isWord(typed.charAt(0))) {
                continue;
            }
            List<String> found = new ArrayList<>();
            boolean complete = false;
            for (String name : names) {
                if (name.length() > typed.length() && name.toLowerCase(Locale.ROOT).startsWith(typed) && found.size() < MAX_CANDIDATES) {
                    found.add(name);
                }
                complete |= name.equalsIgnoreCase(typed);
            }
            if (!found.isEmpty() && !complete) {
                return new Completion(typed.length(), found);
            }
            if (complete) {
                return null;
            }
        }
        return null;
    }

    private static boolean isWord(char c) {
        return Character.isLetterOrDigit(c) || c == '-' || c == '\'';
    }
}
