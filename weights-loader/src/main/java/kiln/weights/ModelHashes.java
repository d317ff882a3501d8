package kiln.weights;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;
import kiln.weights.WeightsException.Kind;

/**
 * The hashes by which A1111 knows models and what is added to them: the SHA-256 of the whole file, whose first 10 digits stand in titles and
 * picture parameters (12 for embeddings), a network's own, and the older 8 digits, taken from the 64 KiB after the first MiB.
 *
 * <p>A SHA-256 costs seconds per gigabyte, so it is computed when first asked for and kept in {@code hashes.json} in the cache
 * folder, valid while the file's path, size and time of change stay the same. The cache is shared by processes: it is read again
 * before it is written, and replaced in one step. A cache that cannot be read or written costs time, nothing else. For any
 * number of threads.
 */
public final class ModelHashes {
    private static final String CACHE_NAME = "hashes.json";
    private static final long MAX_CACHE_BYTES = 64L << 20;
    private static final int BLOCK_BYTES = 1 << 20;
    private static final int SHORT_DIGITS = 10;
    private static final int NETWORK_DIGITS = 12;
    private static final int LEGACY_DIGITS = 8;
    private static final long LEGACY_OFFSET = 0x100000;
    private static final int LEGACY_BYTES = 0x10000;
    private static final int SHA256_DIGITS = 64;
    private static final String WHOLE = "sha256";
    private static final String AFTER_HEADER = "sha256AfterHeader";
    private static final String NETWORK_HASH = "sshs_model_hash";
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path cacheFile;
    private final boolean reading;
    private ObjectNode cache;

    /** @param cacheFolder where the cache is kept; made when first needed */
    public ModelHashes(Path cacheFolder) {
        this(cacheFolder, true);
    }

    /** @param reading whether {@link #shortHash(Path)} and its kin read files whose hash is not in the cache */
    public ModelHashes(Path cacheFolder, boolean reading) {
        this.cacheFile = cacheFolder.resolve(CACHE_NAME);
        this.reading = reading;
    }

    private record Stamp(String path, long bytes, long modifiedNanos) {
        static Stamp of(Path file) throws IOException {
            BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
            return new Stamp(file.toAbsolutePath().normalize().toString(), attributes.size(),
                    attributes.lastModifiedTime().to(TimeUnit.NANOSECONDS));
        }
    }

    /** The SHA-256 of the whole file in 64 hexadecimal digits, from the cache or by reading the file. */
    public String sha256(Path file) {
        return sha256(file, bytes -> { });
    }

    /**
     * As {@link #sha256(Path)}.
     *
     * @param hashedBytes is told how far it is, now and then, on this thread; an exception from it ends the work
     */
    public String sha256(Path file, LongConsumer hashedBytes) {
        return sha256(file, WHOLE, 0, hashedBytes);
    }

    private String sha256(Path file, String kind, long offset, LongConsumer hashedBytes) {
        try {
            Stamp before = Stamp.of(file);
            Optional<String> cached = cached(before, kind);
            if (cached.isPresent()) {
                return cached.get();
            }
            String digits = hash(file, offset, Long.MAX_VALUE, hashedBytes);
            if (Stamp.of(file).equals(before)) {
                remember(before, kind, digits);
            }
            return digits;
        } catch (IOException e) {
            throw failure(file, e);
        }
    }

    /** The SHA-256 if it is in the cache; never reads the file. */
    public Optional<String> cachedSha256(Path file) {
        return cached(file, WHOLE);
    }

    private Optional<String> cached(Path file, String kind) {
        try {
            return cached(Stamp.of(file), kind);
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /** Of a checkpoint, VAE or hypernetwork, 10 digits; empty where it is not known and files are not to be read for it. */
    public Optional<String> shortHash(Path file) {
        return (reading ? Optional.of(sha256(file)) : cachedSha256(file)).map(ModelHashes::shortHash);
    }

    /** Of an embedding, 12 digits; empty as in {@link #shortHash(Path)}. */
    public Optional<String> embeddingHash(Path file) {
        return (reading ? Optional.of(sha256(file)) : cachedSha256(file)).map(ModelHashes::networkDigits);
    }

    /**
     * Of a LoRA, 12 digits: what its metadata says, else of all that follows a safetensors file's header, else of the whole file. Empty as in
     * {@link #shortHash(Path)}.
     */
    public Optional<String> loraHash(Path file) {
        try (WeightsFile weights = WeightsFile.open(file)) {
            String said = weights.metadata().get(NETWORK_HASH);
            if (said != null && !said.isBlank()) {
                return Optional.of(networkDigits(said.strip()));
            }
            if (!weights.format().equals(SafetensorsReader.FORMAT)) {
                return embeddingHash(file);
            }
        }
        return (reading ? Optional.of(sha256(file, AFTER_HEADER, dataOffset(file), bytes -> { })) : cached(file, AFTER_HEADER))
                .map(ModelHashes::networkDigits);
    }

    private static String networkDigits(String hash) {
        return hash.substring(0, Math.min(NETWORK_DIGITS, hash.length()));
    }

    /** Where a safetensors file's header ends, which was read without complaint before. */
    private static long dataOffset(Path file) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            ByteBuffer length = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            while (length.hasRemaining() && channel.read(length) >= 0) {
                // A read may bring less than was asked for.
            }
            return Long.BYTES + Math.max(0, length.getLong(0));
        } catch (IOException e) {
            throw failure(file, e);
        }
    }

    /** The first 10 digits of a SHA-256, as titles and picture parameters have them. */
    public static String shortHash(String sha256) {
        return sha256.substring(0, SHORT_DIGITS);
    }

    /** The 8 digits that older programs name models by: of the 64 KiB after the first MiB, or of what there is of them. */
    public static String legacyHash(Path file) {
        try {
            return hash(file, LEGACY_OFFSET, LEGACY_BYTES, bytes -> { }).substring(0, LEGACY_DIGITS);
        } catch (IOException e) {
            throw failure(file, e);
        }
    }

    private static String hash(Path file, long offset, long bytes, LongConsumer hashedBytes) throws IOException {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            ByteBuffer block = ByteBuffer.allocate((int) Math.min(BLOCK_BYTES, bytes));
            long done = 0;
            while (done < bytes) {
                block.clear().limit((int) Math.min(block.capacity(), bytes - done));
                int read = channel.read(block, offset + done);
                if (read < 0) {
                    break;
                }
                digest.update(block.array(), 0, read);
                done += read;
                hashedBytes.accept(done);
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private synchronized Optional<String> cached(Stamp stamp, String kind) {
        if (cache == null) {
            cache = load();
        }
        JsonNode entry = cache.path(stamp.path());
        String digits = entry.path(kind).asText();
        boolean valid = isOf(entry, stamp) && digits.length() == SHA256_DIGITS && digits.chars().allMatch(c -> "0123456789abcdef".indexOf(c) >= 0);
        return valid ? Optional.of(digits) : Optional.empty();
    }

    private static boolean isOf(JsonNode entry, Stamp stamp) {
        return entry.path("bytes").asLong(-1) == stamp.bytes() && entry.path("modifiedNanos").asLong(-1) == stamp.modifiedNanos();
    }

    private ObjectNode load() {
        try {
            if (Files.size(cacheFile) <= MAX_CACHE_BYTES
                    && JSON.readTree(Files.readAllBytes(cacheFile)) instanceof ObjectNode object) {
                return object;
            }
        } catch (IOException e) {
            // Missing at first; broken or unreadable, it is replaced by what is computed now.
        }
        return JSON.createObjectNode();
    }

    private synchronized void remember(Stamp stamp, String kind, String digits) {
        cache = load();
        boolean known = cache.get(stamp.path()) instanceof ObjectNode entry && isOf(entry, stamp);
        ObjectNode entry = known ? (ObjectNode) cache.get(stamp.path()) : cache.putObject(stamp.path());
        entry.put("bytes", stamp.bytes()).put("modifiedNanos", stamp.modifiedNanos()).put(kind, digits);
        try {
            Path folder = Files.createDirectories(cacheFile.toAbsolutePath().getParent());
            Path temporary = Files.createTempFile(folder, CACHE_NAME, ".tmp");
            try {
                try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE)) {
                    ByteBuffer json = ByteBuffer.wrap(JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(cache));
                    while (json.hasRemaining()) {
                        channel.write(json);
                    }
                    channel.force(true);
                }
                Files.move(temporary, cacheFile, StandardCopyOption.ATOMIC_MOVE);
            } finally {
                Files.deleteIfExists(temporary);
            }
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree of strings and numbers can be written", e);
        } catch (IOException e) {
            // The hash is known for this run; the next run computes it again.
        }
    }

    private static WeightsException failure(Path file, IOException e) {
        return e instanceof NoSuchFileException
                ? new WeightsException(Kind.NOT_FOUND, file, -1, "no such file", e)
                : new WeightsException(Kind.IO, file, -1, "cannot be hashed: " + e.getMessage(), e);
    }
}
