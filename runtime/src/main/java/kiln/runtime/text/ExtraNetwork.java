package kiln.runtime.text;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A tag {@code <name:item:item…>} of a prompt, such as {@code <lora:style:0.7>}: it asks for weights, not for words.
 *
 * @param name what kind of network, {@code lora} or {@code hypernet} for example; any word
 * @param items what stood between the colons, at least one, blanks and all
 */
public record ExtraNetwork(String name, List<String> items) {
    public ExtraNetwork {
        items = List.copyOf(items);
    }

    /** The items that are not {@code key=value}, in order; the first is the network's own name as a rule. */
    public List<String> positional() {
        List<String> positional = new ArrayList<>();
        for (String item : items) {
            if (!isNamed(item)) {
                positional.add(item);
            }
        }
        return List.copyOf(positional);
    }

    /** The items of the form {@code key=value}; of a repeated key the last one counts. */
    public Map<String, String> named() {
        Map<String, String> named = new LinkedHashMap<>();
        for (String item : items) {
            if (isNamed(item)) {
                int sign = item.indexOf('=');
                named.put(item.substring(0, sign), item.substring(sign + 1));
            }
        }
        return named;
    }

    /** One equals sign; with two or more A1111 takes the item as it stands. */
    private static boolean isNamed(String item) {
        int sign = item.indexOf('=');
        return sign >= 0 && item.indexOf('=', sign + 1) < 0;
    }

    @Override
    public String toString() {
        return "<" + name + ":" + String.join(":", items) + ">";
    }
}
