package kiln.runtime.job;

import java.util.Comparator;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A version of A1111 as pictures name it: "v1.10.1", or "v1.7.0-225-g1f2f4c0d" for the 225th change after 1.7.0.
 *
 * @param changes after the release; −1 for a release candidate of it
 */
record WebUiVersion(int major, int minor, int patch, int changes) implements Comparable<WebUiVersion> {
    private static final Pattern FORM =
            Pattern.compile("\\s*v?(\\d{1,6})\\.(\\d{1,6})(?:\\.(\\d{1,6}))?(?:-(\\d{1,6})|[-.]?(rc|a|b)[-.]?\\d*)?\\s*", Pattern.CASE_INSENSITIVE);
    /** What git appends: the commit behind the second dash. */
    private static final Pattern COMMIT = Pattern.compile("([^-]+-[^-]+)-.*");
    private static final int LONGEST = 200;

    static Optional<WebUiVersion> find(String text) {
        if (text.length() > LONGEST) {
            return Optional.empty();
        }
        Matcher commit = COMMIT.matcher(text);
        Matcher form = FORM.matcher(commit.matches() ? commit.group(1) : text);
        if (!form.matches()) {
            return Optional.empty();
        }
        int changes = form.group(5) != null ? -1 : number(form.group(4));
        return Optional.of(new WebUiVersion(number(form.group(1)), number(form.group(2)), number(form.group(3)), changes));
    }

    private static int number(String digits) {
        return digits == null ? 0 : Integer.parseInt(digits);
    }

    boolean isBefore(WebUiVersion other) {
        return compareTo(other) < 0;
    }

    @Override
    public int compareTo(WebUiVersion other) {
        return Comparator.comparingInt(WebUiVersion::major)
                .thenComparingInt(WebUiVersion::minor)
                .thenComparingInt(WebUiVersion::patch)
                .thenComparingInt(WebUiVersion::changes)
                .compare(this, other);
    }
}
