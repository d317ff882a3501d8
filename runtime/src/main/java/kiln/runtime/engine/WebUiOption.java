package kiln.runtime.engine;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import kiln.runtime.base.KilnException;

/**
 * An option of A1111's settings pages, as {@code config.json} has it.
 *
 * @param usual A1111's default: a string, boolean, number, list or null
 * @param reason why it does nothing here, if Kiln does not read it
 */
public record WebUiOption(String name, JsonNode usual, String reason) {
    private static final String TABLE = "webui-options.txt";

    /** All of A1111 1.10.1 and its built-in extensions, by name. Read anew each time. */
    public static Map<String, WebUiOption> all() {
        ObjectMapper json = new ObjectMapper();
        Map<String, WebUiOption> options = new LinkedHashMap<>();
        try (InputStream in = WebUiOption.class.getResourceAsStream(TABLE)) {
            if (in == null) {
                throw new FileNotFoundException(TABLE);
            }
            String reason = "";
            BufferedReader lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.startsWith("[")) {
                    reason = line.substring(1, line.length() - 1);
                } else if (!line.isEmpty() && !line.startsWith("#")) {
                    int blank = line.indexOf(' ');
                    String name = line.substring(0, blank);
                    options.put(name, new WebUiOption(name, json.readTree(line.substring(blank + 1)), reason));
                }
            }
            return options;
        } catch (IOException e) {
            throw new KilnException(
                    KilnException.Category.INTERNAL,
                    "Kiln's own file kiln/runtime/engine/" + TABLE + " is missing or damaged: install or build Kiln again",
                    e);
        }
    }

    /** Whether a value of the file is of this option's kind: A1111 takes whole numbers and others for one kind. */
    boolean accepts(Object value) {
        if (value == null || usual.isNull()) {
            return true;
        }
        return usual.isTextual() && value instanceof String
                || usual.isBoolean() && value instanceof Boolean
                || usual.isNumber() && value instanceof Number
                || usual.isArray() && value instanceof List<?>;
    }
}
