package kiln.runtime.store;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.UUID;
import kiln.runtime.base.KilnException;
import kiln.runtime.job.InfoText;

/**
 * A finished latent with the text that made it, kept in a small safetensors file (one f32 tensor "latent") until its picture is saved.
 *
 * @param values {@code [4, height, width]} in the sampler's scale; shared, not copied
 * @param infoText A1111's parameters text
 */
public record LatentFile(float[] values, int height, int width, String infoText) {
    private static final int CHANNELS = 4;
    private static final int MAX_SIDE = 4096;
    private static final int MAX_HEADER_BYTES = 4 << 20;
    private static final String TENSOR = "latent";
    private static final String ENDING = ".safetensors";
    private static final ObjectMapper JSON = new ObjectMapper();

    public LatentFile {
        Objects.requireNonNull(infoText, "infoText");
        if (height < 1 || width < 1 || height > MAX_SIDE || width > MAX_SIDE || values.length != CHANNELS * height * width) {
            throw new IllegalArgumentException("a latent of " + width + "x" + height + " does not have " + values.length + " values");
        }
    }

    /** Writes it as {@code folder/name.safetensors}, with a number behind the name when that is taken, and returns the file. */
    Path save(Path folder, String name) {
        ObjectNode header = JSON.createObjectNode();
        header.putObject("__metadata__").put(InfoText.PNG_KEYWORD, infoText);
        ObjectNode tensor = header.putObject(TENSOR).put("dtype", "F32");
        tensor.putArray("shape").add(CHANNELS).add(height).add(width);
        tensor.putArray("data_offsets").add(0).add(4L * values.length);
        byte[] bytes = header.toString().getBytes(StandardCharsets.UTF_8);
        int padded = (bytes.length + 7) / 8 * 8;
        ByteBuffer file = ByteBuffer.allocate(8 + padded + 4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        file.putLong(padded).put(bytes).put(" ".repeat(padded - bytes.length).getBytes(StandardCharsets.US_ASCII));
        file.asFloatBuffer().put(values);
        Path temporary = null;
        try {
            // Unlike the JDK's own temporary files, readable by whom the user's mask allows.
            temporary = Files.createFile(folder.resolve("." + name + "-" + UUID.randomUUID() + ".tmp"));
            Storage.writeSynced(temporary, out -> out.write(file.array()));
            for (int attempt = 0; ; attempt++) {
                try {
                    Path target = folder.resolve(name + (attempt == 0 ? "" : "-" + attempt) + ENDING);
                    Storage.publish(temporary, target);
                    return target;
                } catch (FileAlreadyExistsException e) {
                    // The next name, then.
                }
            }
        } catch (IOException e) {
            if (temporary != null) {
                Storage.deleteQuietly(temporary);
            }
            throw Storage.failure(folder, "the latent cannot be saved", e);
        }
    }

    /**
     * Reads what {@link #save} wrote.
     *
     * @throws KilnException {@code CORRUPT_FILE} for any other file
     */
    public static LatentFile load(Path file) {
        try (DataInputStream in = new DataInputStream(Files.newInputStream(file))) {
            long length = Long.reverseBytes(in.readLong());
            if (length < 2 || length > MAX_HEADER_BYTES) {
                throw corrupt(file, "a header of " + Long.toUnsignedString(length) + " bytes");
            }
            byte[] header = in.readNBytes((int) length);
            JsonNode root = JSON.readTree(header);
            JsonNode shape = root.path(TENSOR).path("shape");
            int height = shape.path(1).asInt();
            int width = shape.path(2).asInt();
            if (!root.path(TENSOR).path("dtype").asText().equals("F32") || shape.size() != 3 || shape.path(0).asInt() != CHANNELS
                    || height < 1 || width < 1 || height > MAX_SIDE || width > MAX_SIDE) {
                throw corrupt(file, "no f32 tensor \"latent\" of shape [4, height, width]");
            }
            int bytes = 4 * CHANNELS * height * width;
            byte[] data = in.readNBytes(bytes);
            if (data.length < bytes || in.read() >= 0) {
                throw corrupt(file, "a length that does not fit its shape " + shape);
            }
            float[] values = new float[bytes / 4];
            ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
            return new LatentFile(values, height, width, root.path("__metadata__").path(InfoText.PNG_KEYWORD).asText());
        } catch (JsonProcessingException | EOFException e) {
            throw corrupt(file, "a damaged header");
        } catch (NoSuchFileException e) {
            throw new KilnException(KilnException.Category.NOT_FOUND, file + ": there is no such file", e);
        } catch (IOException e) {
            throw new KilnException(KilnException.Category.STORAGE, file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    private static KilnException corrupt(Path file, String found) {
        return new KilnException(KilnException.Category.CORRUPT_FILE, file + ": not a latent that Kiln saved: " + found);
    }
}
