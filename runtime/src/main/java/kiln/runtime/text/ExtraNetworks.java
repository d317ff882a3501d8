package kiln.runtime.text;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A prompt whose {@link ExtraNetwork} tags have been cut out, before anything else of the grammar is read.
 *
 * @param text what is left; a tag leaves nothing in its place
 */
public record ExtraNetworks(String text, List<ExtraNetwork> networks) {
    public ExtraNetworks {
        networks = List.copyOf(networks);
    }

    /** Cuts out every {@code <word:anything but >}{@code >}; what is not closed or has no word before its colon stays text. */
    public static ExtraNetworks cut(String prompt) {
        List<ExtraNetwork> networks = new ArrayList<>();
        StringBuilder rest = new StringBuilder(prompt.length());
        int copied = 0;
        for (int open = prompt.indexOf('<'); open >= 0; ) {
            int colon = wordEnd(prompt, open + 1);
            if (colon == open + 1 || colon == prompt.length() || prompt.charAt(colon) != ':') {
                open = prompt.indexOf('<', open + 1);
                continue;
            }
            int close = prompt.indexOf('>', colon + 1);
            if (close < 0) {
                break;
            }
            if (close == colon + 1) {
                open = prompt.indexOf('<', open + 1);
                continue;
            }
            String[] items = prompt.substring(colon + 1, close).split(":", -1);
            networks.add(new ExtraNetwork(prompt.substring(open + 1, colon), Arrays.asList(items)));
            rest.append(prompt, copied, open);
            copied = close + 1;
            open = prompt.indexOf('<', copied);
        }
        return new ExtraNetworks(rest.append(prompt, copied, prompt.length()).toString(), networks);
    }

    private static int wordEnd(String text, int from) {
        int i = from;
        while (i < text.length() && PythonText.isWord(text.codePointAt(i))) {
            i += Character.charCount(text.codePointAt(i));
        }
        return i;
    }
}
