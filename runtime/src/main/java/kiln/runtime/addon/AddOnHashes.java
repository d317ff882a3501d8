package kiln.runtime.addon;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.KilnException.Category;
import kiln.runtime.family.ModelSource;

/**
 * The 12 digits by which pictures' parameters name what was added, as A1111 makes them: of a LoRA what its metadata says, else the SHA-256 of the
 * tensors alone; of a textual inversion the whole file's. Read once while a file stays the same. Safe from any thread.
 */
public final class AddOnHashes {
    private static final int DIGITS = 12;
    private static final int BLOCK_BYTES = 1 << 20;

    private final Map<String, String> known = new ConcurrentHashMap<>();

    /** @throws KilnException STORAGE when the file cannot be read */
    public String lora(Path file) {
        return known.computeIfAbsent("lora " + ModelSource.identityOf(file), key -> {
            try (LoraFile lora = LoraFile.open(file)) {
                String told = lora.metadata().getOrDefault("sshs_model_hash", "").toLowerCase(Locale.ROOT);
                return told.length() >= DIGITS ? told.substring(0, DIGITS) : digits(file, true);
            }
        });
    }

    /** @throws KilnException STORAGE when the file cannot be read */
    public String embedding(Path file) {
        return known.computeIfAbsent("embedding " + ModelSource.identityOf(file), key -> digits(file, false));
    }

    private static String digits(Path file, boolean withoutHeader) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            ByteBuffer block = ByteBuffer.allocate(BLOCK_BYTES);
            channel.position(withoutHeader && file.getFileName().toString().toLowerCase(Locale.ROOT).endsWith(".safetensors") ? header(channel) : 0);
            while (channel.read(block.clear()) >= 0) {
                digest.update(block.flip());
            }
            return HexFormat.of().formatHex(digest.digest()).substring(0, DIGITS);
        } catch (IOException e) {
            throw new KilnException(Category.STORAGE, file + " cannot be hashed: " + e.getMessage(), e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    /** Where the tensors begin; the file was opened as such a one before. */
    private static long header(FileChannel channel) throws IOException {
        ByteBuffer length = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        while (length.hasRemaining() && channel.read(length) >= 0) {
            // A file may give fewer bytes than asked for.
        }
        return Math.min(channel.size(), Long.BYTES + Math.max(0, length.getLong(0)));
    }
}
