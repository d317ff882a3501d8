package kiln.weights;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Files that PyTorch wrote (by {@code src/test/oracle/make_fixtures.py}), against what PyTorch says is in them. */
class TorchFixturesTest {
    static final Path FIXTURES = Path.of("src/test/resources/weights");

    private record Described(String dtype, List<Long> shape, String sha256) {}

    static Stream<String> files() throws IOException {
        List<String> names = new ArrayList<>();
        expected().fieldNames().forEachRemaining(names::add);
        return names.stream();
    }

    private static JsonNode expected() throws IOException {
        return new ObjectMapper().readTree(FIXTURES.resolve("expected.json").toFile());
    }

    @ParameterizedTest
    @MethodSource("files")
    void everyTensorHasTheBytesThatTorchGivesIt(String name) throws IOException {
        JsonNode expected = expected().get(name);
        Map<String, Described> wanted = new TreeMap<>();
        for (JsonNode tensor : expected.get("tensors")) {
            List<Long> shape = new ArrayList<>();
            tensor.get("shape").forEach(size -> shape.add(size.longValue()));
            wanted.put(tensor.get("name").asText(),
                    new Described(tensor.get("dtype").asText(), shape, tensor.get("sha256").asText()));
        }
        try (WeightsFile file = WeightsFile.open(FIXTURES.resolve(name))) {
            Map<String, Described> found = new TreeMap<>();
            for (TensorInfo tensor : file.tensors()) {
                found.put(tensor.name(),
                        new Described(tensor.dtype().safetensorsName(), tensor.shape(), sha256(file, tensor)));
            }
            assertThat(found).isEqualTo(wanted);
            assertThat(file.format()).isEqualTo(expected.get("format").asText());
            Map<String, String> metadata = new TreeMap<>();
            expected.get("metadata").properties().forEach(entry -> metadata.put(entry.getKey(), entry.getValue().asText()));
            assertThat(file.metadata()).containsExactlyInAnyOrderEntriesOf(metadata);
        }
    }

    @Test
    void everyNumberFormatConvertsToTheFloatsThatTorchMakes() {
        try (WeightsFile file = WeightsFile.open(FIXTURES.resolve("dtypes.safetensors"));
                WeightsFile floats = WeightsFile.open(FIXTURES.resolve("dtypes-as-f32.safetensors"))) {
            assertThat(floats.tensors()).hasSize(18);
            for (TensorInfo tensor : floats.tensors()) {
                assertThat(file.readF32(tensor.name())).as(tensor.name()).isEqualTo(floats.readF32(tensor.name()));
            }
        }
    }

    private static String sha256(WeightsFile file, TensorInfo tensor) {
        try (TensorData data = file.map(tensor.name())) {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (ByteBuffer chunk : data.chunks()) {
                digest.update(chunk);
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }
}
