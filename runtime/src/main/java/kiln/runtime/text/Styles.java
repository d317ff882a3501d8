package kiln.runtime.text;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.NearestName;

/** Styles by name, in the order of their files. Of several with one name the last counts. Immutable. */
public final class Styles {
    public static final Styles NONE = new Styles(List.of());

    private static final Style NOTHING = new Style("", "", "");

    private final Map<String, Style> byName;

    /**
     * Prompts in which styles were recognised.
     *
     * @param names in the order in which they are to be added to {@code prompts}
     * @param prompts what is left
     */
    public record Recognised(List<String> names, Style.Prompts prompts) {
        public Recognised {
            names = List.copyOf(names);
        }
    }

    public Styles(Collection<Style> styles) {
        byName = new LinkedHashMap<>();
        styles.forEach(style -> byName.put(style.name(), style));
    }

    public List<Style> all() {
        return List.copyOf(byName.values());
    }

    public Optional<Style> find(String name) {
        return Optional.ofNullable(byName.get(name));
    }

    /** @throws KilnException {@code BAD_REQUEST} when there is none of that name */
    public Style named(String name) {
        return find(name).orElseThrow(() -> KilnException.badRequest(
                "no style is called \"" + name.replaceAll("\\p{Cntrl}", "?") + "\"" + NearestName.hint(name, List.copyOf(byName.keySet()))));
    }

    /** The prompts with these styles, one after the other. An unknown name counts as an empty style. */
    public Style.Prompts apply(Style.Prompts prompts, List<String> names) {
        Style.Prompts styled = prompts;
        for (String name : names) {
            styled = byName.getOrDefault(name, NOTHING).addTo(styled);
        }
        return styled;
    }

    /** Which styles were added to these prompts: looked for again and again until none is found, each once. */
    public Recognised recognise(Style.Prompts prompts) {
        LinkedList<String> names = new LinkedList<>();
        List<Style> left = new ArrayList<>(byName.values());
        Style.Prompts rest = prompts;
        for (boolean found = true; found; ) {
            found = false;
            for (Style style : left) {
                Optional<Style.Prompts> without = style.removeFrom(rest);
                if (without.isPresent()) {
                    rest = without.get();
                    // The one that was added last is found first.
                    names.addFirst(style.name());
                    left.remove(style);
                    found = true;
                    break;
                }
            }
        }
        return new Recognised(names, rest);
    }

    /** These with one more, or with another one of that name in its place. */
    public Styles with(Style style) {
        Map<String, Style> more = new LinkedHashMap<>(byName);
        more.put(style.name(), style);
        return new Styles(more.values());
    }

    /** These without that one. */
    public Styles without(String name) {
        Map<String, Style> fewer = new LinkedHashMap<>(byName);
        fewer.remove(name);
        return new Styles(fewer.values());
    }
}
