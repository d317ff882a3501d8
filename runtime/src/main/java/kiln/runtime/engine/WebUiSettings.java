package kiln.runtime.engine;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import kiln.runtime.job.Setting;

/**
 * What a web UI's {@code config.json} says, option by option, and what comes of it here.
 *
 * @param rows A1111's options, those that act first, in groups by reason
 * @param unknown names in the file that A1111 1.10 does not have: of extensions, other versions and other programs
 */
public record WebUiSettings(List<Row> rows, List<String> unknown) {
    /**
     * An option.
     *
     * @param value of the file, else the default; JSON
     * @param usual A1111's default; JSON
     * @param changed whether the file says something other than the default
     * @param fits whether the value is of the option's kind; one that is not counts as not said
     * @param reason why it does nothing here; {@code null} when it acts
     */
    public record Row(String name, String value, String usual, boolean changed, boolean fits, String reason) {
        public boolean acts() {
            return reason == null;
        }
    }

    public WebUiSettings {
        rows = List.copyOf(rows);
        unknown = List.copyOf(unknown);
    }

    /** @param read other options than {@link Setting}s that are read */
    public static WebUiSettings of(WebUiConfig config, Predicate<String> read) {
        ObjectMapper json = new ObjectMapper();
        Map<String, WebUiOption> options = WebUiOption.all();
        List<Row> rows = new ArrayList<>();
        List<Row> idle = new ArrayList<>();
        options.values().forEach(option -> {
            boolean acts = Setting.find(option.name()).isPresent() || read.test(option.name());
            Object said = config.values().get(option.name());
            JsonNode value = said == null ? option.usual() : json.valueToTree(said);
            boolean fits = option.accepts(said);
            (acts ? rows : idle).add(new Row(
                    option.name(), value.toString(), option.usual().toString(), !same(value, option.usual()), fits, acts ? null : option.reason()));
        });
        rows.addAll(idle);
        return new WebUiSettings(rows, config.values().keySet().stream().filter(name -> !options.containsKey(name)).toList());
    }

    /** 1 and 1.0 are the same to sliders. */
    private static boolean same(JsonNode value, JsonNode usual) {
        return value.isNumber() && usual.isNumber() ? value.doubleValue() == usual.doubleValue() : value.equals(usual);
    }
}
