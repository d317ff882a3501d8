package kiln.runtime.addon;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The words that a LoRA was trained with, from the metadata that kohya's scripts write. */
public final class TriggerWords {
    private static final ObjectMapper JSON = new ObjectMapper();

    private TriggerWords() {}

    /** The most frequent first. @param most how many; none where the metadata tells nothing */
    public static List<String> of(Map<String, String> metadata, int most) {
        Map<String, Long> counts = new HashMap<>();
        try {
            JsonNode folders = JSON.readTree(metadata.getOrDefault("ss_tag_frequency", "{}"));
            folders.forEach(tags -> tags.properties().forEach(tag -> counts.merge(tag.getKey().strip(), tag.getValue().asLong(), Long::sum)));
        } catch (JsonProcessingException e) {
            return List.of();
        }
        List<String> words = new ArrayList<>(counts.keySet());
        words.removeIf(String::isEmpty);
        words.sort(Comparator.comparing((String word) -> -counts.get(word)).thenComparing(Comparator.naturalOrder()));
        return List.copyOf(words.subList(0, Math.min(most, words.size())));
    }
}
