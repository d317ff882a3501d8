package kiln.runtime.family;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import kiln.weights.TensorData;
import kiln.weights.TensorInfo;
import kiln.weights.WeightsFile;

/** Tensors of a file, to be written into another one under other names. */
final class Tensors {
    private final Map<String, byte[]> elements = new LinkedHashMap<>();
    private final Map<String, TensorInfo> infos = new LinkedHashMap<>();

    /** @param names to a tensor's new name, or {@code null} to leave it out */
    static Tensors of(Path file, UnaryOperator<String> names) {
        Tensors tensors = new Tensors();
        try (WeightsFile weights = WeightsFile.open(file)) {
            for (TensorInfo info : weights.tensors()) {
                String name = names.apply(info.name());
                if (name != null) {
                    try (TensorData data = weights.map(info.name())) {
                        byte[] bytes = new byte[Math.toIntExact(info.bytes())];
                        data.bytes().get(bytes);
                        tensors.put(new TensorInfo(name, info.dtype(), info.shape()), bytes);
                    }
                }
            }
        }
        return tensors;
    }

    Tensors put(TensorInfo info, byte[] bytes) {
        infos.put(info.name(), info);
        elements.put(info.name(), bytes);
        return this;
    }

    Map<String, TensorInfo> infos() {
        return infos;
    }

    byte[] bytes(String name) {
        return elements.get(name);
    }

    /** As safetensors. */
    Path write(Path file) throws IOException {
        long[] offset = {0};
        String header = infos.values().stream()
                .map(info -> "\"" + info.name() + "\":{\"dtype\":\"" + info.dtype().safetensorsName() + "\",\"shape\":" + info.shape()
                        + ",\"data_offsets\":[" + offset[0] + "," + (offset[0] += info.bytes()) + "]}")
                .collect(Collectors.joining(",", "{", "}"));
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        Files.createDirectories(file.getParent());
        try (FileChannel out = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            out.write(ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(json.length).flip());
            out.write(ByteBuffer.wrap(json));
            for (byte[] bytes : elements.values()) {
                out.write(ByteBuffer.wrap(bytes));
            }
        }
        return file;
    }
}
