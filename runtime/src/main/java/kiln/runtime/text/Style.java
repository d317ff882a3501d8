package kiln.runtime.text;

import java.util.Objects;
import java.util.Optional;

/**
 * Text by a name that is added to prompts: where it has {@code {prompt}}, around the prompt, else behind it after a comma.
 *
 * @param prompt added to the prompt
 * @param negativePrompt added to the negative prompt
 */
public record Style(String name, String prompt, String negativePrompt) {
    private static final String PLACE = "{prompt}";
    private static final String SEPARATOR = ", ";

    /** Both prompts of a picture. */
    public record Prompts(String prompt, String negativePrompt) {
        public Prompts {
            Objects.requireNonNull(prompt, "prompt");
            Objects.requireNonNull(negativePrompt, "negativePrompt");
        }
    }

    public Style {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(prompt, "prompt");
        Objects.requireNonNull(negativePrompt, "negativePrompt");
    }

    /** These prompts with this style. */
    public Prompts addTo(Prompts prompts) {
        return new Prompts(merged(prompt, prompts.prompt), merged(negativePrompt, prompts.negativePrompt));
    }

    private static String merged(String style, String text) {
        if (style.contains(PLACE)) {
            return style.replace(PLACE, text);
        }
        String added = style.strip();
        String stripped = text.strip();
        return stripped.isEmpty() || added.isEmpty() ? stripped + added : stripped + SEPARATOR + added;
    }

    /** These prompts without this style; empty when it is not in both. */
    public Optional<Prompts> removeFrom(Prompts prompts) {
        if (prompt.isEmpty() && negativePrompt.isEmpty()) {
            return Optional.empty();
        }
        return without(prompt, prompts.prompt)
                .flatMap(text -> without(negativePrompt, prompts.negativePrompt).map(negative -> new Prompts(text, negative)));
    }

    private static Optional<String> without(String style, String text) {
        int place = style.indexOf(PLACE);
        if (place >= 0) {
            int after = style.length() - place - PLACE.length();
            boolean holds = text.length() >= place + after
                    && text.startsWith(style.substring(0, place))
                    && text.endsWith(style.substring(place + PLACE.length()));
            return holds ? Optional.of(text.substring(place, text.length() - after)) : Optional.empty();
        }
        if (!text.endsWith(style)) {
            return Optional.empty();
        }
        String before = text.substring(0, text.length() - style.length());
        return Optional.of(before.endsWith(SEPARATOR) ? before.substring(0, before.length() - SEPARATOR.length()) : before);
    }
}
