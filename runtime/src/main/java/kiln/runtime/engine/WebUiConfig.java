package kiln.runtime.engine;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * A settings file of A1111's web UI, {@code config.json} or {@code ui-config.json}: a flat map of names to values. Only what is in the
 * file is in the map; nobody writes to it.
 *
 * <p>The file is a stranger's: what is too large, too deep or no JSON counts as an empty map and leaves one line. Immutable.
 *
 * @param file where it was looked for
 * @param exists whether there was one that could be read
 * @param values strings, booleans, numbers ({@code Long} or {@code Double}), lists of these, {@code null} for JSON's null; what is
 *     nested deeper is told by name only, as an empty map
 */
public record WebUiConfig(Path file, boolean exists, Map<String, Object> values) {
    /** Real ones have some 30 KB; those with many extensions a few hundred. */
    private static final long MOST_BYTES = 16L << 20;

    private static final int MOST_ENTRIES = 50_000;
    private static final int MOST_LIST = 10_000;
    private static final JsonFactory JSON = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(64)
                    .maxNumberLength(400)
                    .maxStringLength(1 << 20)
                    .build())
            // Python's json writes these.
            .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
            .build();

    public WebUiConfig {
        Objects.requireNonNull(file, "file");
        values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
    }

    /**
     * Reads a file; one that is not there is an empty map.
     *
     * @param notices told in one line what is wrong with the file
     */
    public static WebUiConfig read(Path file, Consumer<String> notices) {
        try (InputStream in = Files.newInputStream(file)) {
            if (Files.size(file) > MOST_BYTES) {
                throw new IOException("it has more than " + (MOST_BYTES >> 20) + " MiB");
            }
            return new WebUiConfig(file, true, read(in));
        } catch (NoSuchFileException e) {
            return new WebUiConfig(file, false, Map.of());
        } catch (IOException e) {
            String reason = e instanceof com.fasterxml.jackson.core.JacksonException json ? json.getOriginalMessage() : e.getMessage();
            notices.accept(file + " cannot be read, so defaults are used: "
                    + String.valueOf(reason).lines().findFirst().orElse("").replaceAll("\\p{Cntrl}", "?"));
            return new WebUiConfig(file, false, Map.of());
        }
    }

    private static Map<String, Object> read(InputStream in) throws IOException {
        Map<String, Object> values = new LinkedHashMap<>();
        try (JsonParser json = JSON.createParser(in.readNBytes((int) MOST_BYTES))) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                throw new IOException("it does not begin with {");
            }
            while (json.nextToken() != JsonToken.END_OBJECT) {
                String name = json.currentName();
                json.nextToken();
                if (values.size() == MOST_ENTRIES) {
                    throw new IOException("it has more than " + MOST_ENTRIES + " entries");
                }
                values.put(name, value(json));
            }
        }
        return values;
    }

    private static Object value(JsonParser json) throws IOException {
        return switch (json.currentToken()) {
            case VALUE_STRING -> json.getText();
            case VALUE_TRUE -> Boolean.TRUE;
            case VALUE_FALSE -> Boolean.FALSE;
            case VALUE_NUMBER_INT -> whole(json);
            case VALUE_NUMBER_FLOAT -> json.getDoubleValue();
            case START_ARRAY -> list(json);
            case START_OBJECT -> {
                json.skipChildren();
                yield Map.of();
            }
            case VALUE_NULL -> null;
            default -> throw new IOException("it ends early");
        };
    }

    /** Python's whole numbers have any length. */
    private static Object whole(JsonParser json) throws IOException {
        return json.getNumberType() == JsonParser.NumberType.BIG_INTEGER ? (Object) json.getDoubleValue() : (Object) json.getLongValue();
    }

    private static List<Object> list(JsonParser json) throws IOException {
        List<Object> list = new ArrayList<>();
        while (json.nextToken() != JsonToken.END_ARRAY) {
            if (list.size() == MOST_LIST) {
                throw new IOException("a list has more than " + MOST_LIST + " entries");
            }
            if (json.currentToken() == JsonToken.START_ARRAY) {
                json.skipChildren();
                list.add(List.of());
            } else {
                list.add(value(json));
            }
        }
        return Collections.unmodifiableList(list);
    }

    /** A string that is not empty, or {@code usual}. */
    public String text(String name, String usual) {
        return values.get(name) instanceof String text && !text.isEmpty() ? text : usual;
    }

    /** The strings of a list; of A1111's older settings one string with commas. */
    public List<String> texts(String name) {
        Object value = values.get(name);
        if (value instanceof List<?> list) {
            return list.stream().filter(String.class::isInstance).map(String.class::cast).toList();
        }
        return value instanceof String text ? List.of(text.strip().split("\\s*,\\s*")) : List.of();
    }
}
