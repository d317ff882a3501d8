package kiln.runtime.text;

/**
 * One piece of a text as the text encoder sees it.
 *
 * @param text the characters it stands for, after cleaning; bytes that are no whole character (emoji are often split) as {@code <f0>}
 * @param endsWord whether a word ends with it: "cat" at the end of a word is another token than the "cat" of "category"
 */
public record Token(int id, String text, boolean endsWord) {}
