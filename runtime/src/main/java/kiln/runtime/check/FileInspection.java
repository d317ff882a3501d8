package kiln.runtime.check;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import kiln.runtime.base.KilnException;
import kiln.runtime.family.ModelFiles;
import kiln.weights.CheckpointKind;
import kiln.weights.TensorData;
import kiln.weights.TensorInfo;
import kiln.weights.WeightsException;
import kiln.weights.WeightsFile;

/** What a weights file holds. The creator closes it. */
public final class FileInspection implements AutoCloseable {
    private final WeightsFile file;

    /**
     * A tensor in the file.
     *
     * @param dtype as safetensors writes it: "F16"
     * @param elements how many it has
     */
    public record Tensor(String name, String dtype, List<Long> shape, long elements) {
        public Tensor {
            Objects.requireNonNull(name, "name");
            Objects.requireNonNull(dtype, "dtype");
            shape = List.copyOf(shape);
        }
    }

    private FileInspection(WeightsFile file) {
        this.file = file;
    }

    /**
     * Reads the file's header and no elements.
     *
     * @throws KilnException when the file is missing, unreadable or broken: one line with its name
     */
    public static FileInspection open(Path path) {
        try {
            return new FileInspection(WeightsFile.open(path));
        } catch (WeightsException e) {
            throw ModelFiles.failure(e);
        }
    }

    /** "safetensors" or another format's name. */
    public String format() {
        return file.format();
    }

    /** What it is, judged by its tensors, for people: "SD 1.x". */
    public String kind() {
        return CheckpointKind.of(file).displayName();
    }

    public Map<String, String> metadata() {
        return file.metadata();
    }

    /** In the file's order. */
    public List<Tensor> tensors() {
        return file.tensors().stream().map(FileInspection::tensor).toList();
    }

    /** What a pickle holds beside tensors and plain values, by name; none as a rule. The last may say how many more there are. */
    public List<String> unread() {
        return listed(file.unread().values(), file.unread().valueCount());
    }

    /** Python code that a pickle names and that is no part of plain weights, as {@code os.system}; as {@link #unread}. Nothing of it was run. */
    public List<String> code() {
        return listed(file.unread().code(), file.unread().codeCount());
    }

    private static List<String> listed(List<String> first, int count) {
        List<String> listed = new ArrayList<>(first);
        if (count > first.size()) {
            listed.add("and " + (count - first.size()) + " more");
        }
        return listed;
    }

    private static Tensor tensor(TensorInfo info) {
        return new Tensor(info.name(), info.dtype().safetensorsName(), info.shape(), info.elements());
    }

    /**
     * The SHA-256 of a tensor's elements in order, little-endian, in hexadecimal digits; reads all of it.
     *
     * @throws KilnException when it cannot be read
     */
    public String sha256(Tensor tensor) {
        try (TensorData data = file.map(tensor.name())) {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (ByteBuffer chunk : data.chunks()) {
                digest.update(chunk);
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (WeightsException e) {
            throw ModelFiles.failure(e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    @Override
    public void close() {
        file.close();
    }
}
