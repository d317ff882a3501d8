package kiln.runtime.store;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import kiln.runtime.base.ByteSize;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.KilnException.Category;
import kiln.weights.TensorInfo;

/** Writes weights as a safetensors file that is wholly there or not at all, tensor by tensor: no more of it is held than its writer holds. */
public final class SafetensorsFile {
    /** Readers take no longer header (the format's own limit). */
    private static final int MAX_HEADER_BYTES = 100_000_000;

    private static final ObjectMapper JSON = new ObjectMapper();

    private SafetensorsFile() {}

    /** Writes the elements of all tensors in the header's order, little-endian and row-major, without gaps. */
    @FunctionalInterface
    public interface Elements {
        void writeTo(OutputStream out) throws IOException;
    }

    /**
     * Writes a new file; its folder is made where it is missing.
     *
     * @param tensors in the order of their elements
     * @throws KilnException BAD_REQUEST when there is such a file already; STORAGE when it cannot be written or the disk has too little room, which
     *     is known before anything is written. What {@code elements} throws is passed on, and nothing is left behind.
     */
    public static void save(Path file, List<TensorInfo> tensors, Map<String, String> metadata, Elements elements) {
        Path folder = file.toAbsolutePath().getParent();
        byte[] header = header(file, tensors, metadata);
        long elementBytes = tensors.stream().mapToLong(TensorInfo::bytes).sum();
        Storage.createFolder(folder);
        if (Files.exists(file)) {
            throw taken(file, null);
        }
        Path temporary = null;
        try {
            requireRoom(folder, file, Long.BYTES + header.length + elementBytes);
            temporary = Files.createFile(folder.resolve("." + file.getFileName() + "-" + UUID.randomUUID() + ".tmp"));
            Storage.writeSynced(temporary, out -> {
                out.write(ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(header.length).array());
                out.write(header);
                elements.writeTo(out);
            });
            long written = Files.size(temporary) - Long.BYTES - header.length;
            if (written != elementBytes) {
                throw new IllegalStateException(written + " bytes of elements were written: the header says " + elementBytes);
            }
            Storage.publish(temporary, file);
            temporary = null;
        } catch (FileAlreadyExistsException e) {
            throw taken(file, e);
        } catch (IOException e) {
            throw Storage.failure(file, "the weights cannot be saved", e);
        } finally {
            if (temporary != null) {
                Storage.deleteQuietly(temporary);
            }
        }
    }

    private static byte[] header(Path file, List<TensorInfo> tensors, Map<String, String> metadata) {
        ObjectNode header = JSON.createObjectNode();
        if (!metadata.isEmpty()) {
            ObjectNode node = header.putObject("__metadata__");
            metadata.forEach(node::put);
        }
        long offset = 0;
        for (TensorInfo tensor : tensors) {
            ObjectNode node = header.putObject(tensor.name()).put("dtype", tensor.dtype().safetensorsName());
            ArrayNode shape = node.putArray("shape");
            tensor.shape().forEach(shape::add);
            node.putArray("data_offsets").add(offset).add(offset += tensor.bytes());
        }
        byte[] json = header.toString().getBytes(StandardCharsets.UTF_8);
        // Elements begin at a multiple of eight, as the format asks for.
        int padded = (json.length + Long.BYTES - 1) / Long.BYTES * Long.BYTES;
        if (padded > MAX_HEADER_BYTES) {
            throw new KilnException(Category.UNSUPPORTED_MODEL, file + ": a header of " + json.length
                    + " bytes: a safetensors file has at most " + MAX_HEADER_BYTES);
        }
        byte[] bytes = new byte[padded];
        Arrays.fill(bytes, (byte) ' ');
        System.arraycopy(json, 0, bytes, 0, json.length);
        return bytes;
    }

    private static void requireRoom(Path folder, Path file, long bytes) throws IOException {
        long free = Files.getFileStore(folder).getUsableSpace();
        if (free < bytes) {
            throw new KilnException(Category.STORAGE, file + ": it takes " + ByteSize.format(bytes) + " and the disk has "
                    + ByteSize.format(free) + " left: free some space or choose another output folder");
        }
    }

    private static KilnException taken(Path file, IOException cause) {
        return new KilnException(Category.BAD_REQUEST, file + ": there is such a file already: give another name", cause);
    }
}
