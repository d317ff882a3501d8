package kiln.runtime.text;

/** Comments in a prompt: everything from a {@code #} to the end of its line, as A1111 1.8 and later leave it out. */
public final class PromptComments {
    private PromptComments() {}

    /**
     * The prompt without its comments. A line that is a comment leaves one line break, and takes the one before it along; a comment
     * behind other text leaves a line break, even at the very end. These breaks are part of the text that A1111 goes on with.
     */
    public static String strip(String prompt) {
        return prompt.indexOf('#') < 0 ? prompt : replace(replace(prompt, true), false);
    }

    /** A1111 looks for lines that are comments first: seen from the left, the break before one may belong to another comment. */
    private static String replace(String prompt, boolean wholeLines) {
        StringBuilder out = new StringBuilder(prompt.length());
        for (int at = 0; at < prompt.length(); ) {
            boolean comment = wholeLines
                    ? at == 0 && prompt.charAt(0) == '#' || prompt.startsWith("\n#", at)
                    : prompt.charAt(at) == '#';
            if (comment) {
                out.append('\n');
                int end = prompt.indexOf('\n', at + 1);
                at = end < 0 ? prompt.length() : end + 1;
            } else {
                out.append(prompt.charAt(at));
                at++;
            }
        }
        return out.toString();
    }
}
