package kiln.runtime.addon;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;

/** A safetensors file of 32-bit floats, written by a test. */
public final class TensorFile {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Map<String, Values> tensors = new LinkedHashMap<>();
    private final Map<String, String> metadata = new LinkedHashMap<>();

    TensorFile add(String name, Values values) {
        tensors.put(name, values);
        return this;
    }

    public TensorFile add(String name, float[] data, int... shape) {
        return add(name, new Values(shape, data));
    }

    /** Normal random numbers of the given deviation. */
    public TensorFile random(Random random, double deviation, String name, int... shape) {
        float[] data = new float[Arrays.stream(shape).reduce(1, Math::multiplyExact)];
        for (int i = 0; i < data.length; i++) {
            data[i] = (float) (random.nextGaussian() * deviation);
        }
        return add(name, data, shape);
    }

    public TensorFile metadata(String key, String value) {
        metadata.put(key, value);
        return this;
    }

    public Path write(Path file) throws IOException {
        ObjectNode header = JSON.createObjectNode();
        if (!metadata.isEmpty()) {
            metadata.forEach(header.putObject("__metadata__")::put);
        }
        long at = 0;
        for (Map.Entry<String, Values> tensor : tensors.entrySet()) {
            ObjectNode entry = header.putObject(tensor.getKey()).put("dtype", "F32");
            entry.set("shape", JSON.valueToTree(tensor.getValue().shape()));
            long end = at + 4L * tensor.getValue().data().length;
            entry.putArray("data_offsets").add(at).add(end);
            at = end;
        }
        byte[] json = JSON.writeValueAsBytes(header);
        ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(8 + json.length + at)).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(json.length).put(json);
        for (Values values : tensors.values()) {
            for (float value : values.data()) {
                bytes.putFloat(value);
            }
        }
        return Files.write(file, bytes.array());
    }
}
