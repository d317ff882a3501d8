package kiln.runtime;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPInputStream;

/**
 * What the original programs computed (resources/vectors/README.md): from the folder that {@code -Dkiln.vectors=DIR} names, else from the
 * copy in the test resources.
 */
public final class Vectors {
    private static final String FOLDER = System.getProperty("kiln.vectors", "");

    private Vectors() {}

    /** The cases of a file, "samplers.json"; it may be packed, with ".gz" behind its name. */
    public static List<JsonNode> cases(String name) {
        try (InputStream in = open(name)) {
            List<JsonNode> cases = new ArrayList<>();
            new ObjectMapper().readTree(in).get("cases").forEach(cases::add);
            return cases;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static InputStream open(String name) throws IOException {
        if (FOLDER.isBlank()) {
            return new GZIPInputStream(Vectors.class.getResourceAsStream("/vectors/" + name + ".gz"));
        }
        Path plain = Path.of(FOLDER, name);
        return Files.exists(plain) ? Files.newInputStream(plain) : new GZIPInputStream(Files.newInputStream(Path.of(FOLDER, name + ".gz")));
    }

    /** An array of numbers. */
    public static float[] floats(JsonNode array) {
        float[] values = new float[array.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) array.get(i).asDouble();
        }
        return values;
    }
}
