package kiln.runtime.exec;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;

/**
 * Parameters that are a function of the tensor's name and the element's index, so that a model of any size needs no file: the same
 * function as {@code hashed} in src/test/oracle/network_golden.py, bit for bit (integers, then one rounding per operation).
 */
final class HashedWeights implements WeightSource {
    private final Map<String, List<Integer>> shapes;

    /** @param shapes a JSON object of tensor names and shapes */
    HashedWeights(String shapes) {
        try {
            this.shapes = new ObjectMapper().readValue(shapes, new TypeReference<>() {});
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("not a list of shapes", e);
        }
    }

    @Override
    public List<Integer> shape(String tensor) {
        return shapes.get(tensor);
    }

    @Override
    public void read(String tensor, FloatBuffer target) {
        readRange(tensor, 0, target);
    }

    @Override
    public void readRange(String tensor, long begin, FloatBuffer target) {
        CRC32 crc = new CRC32();
        crc.update(tensor.getBytes(StandardCharsets.UTF_8));
        List<Integer> shape = shapes.get(tensor);
        int perRow = shape.stream().skip(1).reduce(1, Math::multiplyExact);
        for (int i = (int) begin; target.hasRemaining(); i++) {
            int x = (int) crc.getValue() ^ i * 0x9E3779B1;
            x = (x ^ x >>> 16) * 0x85EBCA6B;
            x = (x ^ x >>> 13) * 0xC2B2AE35;
            x ^= x >>> 16;
            double unit = (double) (x >>> 8) / (1 << 23) - 1;
            double value = shape.size() > 1 ? unit * Math.sqrt(1.8 / perRow) : unit * 0.0625 + (tensor.endsWith("bias") ? 0 : 1);
            target.put((float) value);
        }
    }
}
