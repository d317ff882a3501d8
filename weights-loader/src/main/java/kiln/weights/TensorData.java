package kiln.weights;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import kiln.weights.WeightsException.Kind;
import kiln.weights.map.MemoryRegion;

/**
 * One tensor's elements in memory outside the Java heap: little-endian, row-major, without gaps. Usually a mapped part of the
 * file, so that only what is read takes memory.
 *
 * <p>Whoever got it closes it; {@link #close} gives the memory back at once, closing twice is harmless. It stays usable after
 * the {@link WeightsFile} is closed. Any number of threads may read. <strong>No buffer may be touched after the
 * close</strong>: from Java 22 that throws {@link IllegalStateException}, on older Javas nothing guards against it.
 * Addresses are aligned as the file aligns them: to 64 bytes in newer torch files, 8 in most safetensors files, but no
 * alignment is promised.
 */
public final class TensorData implements AutoCloseable {
    private final TensorInfo info;
    private final Path path;
    private final MemoryRegion region;

    TensorData(TensorInfo info, Path path, MemoryRegion region) {
        this.info = info;
        this.path = path;
        this.region = region;
    }

    public TensorInfo info() {
        return info;
    }

    /**
     * All elements as one direct, read-only buffer from position 0.
     *
     * @throws WeightsException {@code UNSUPPORTED} when they take more than 1 GiB: use {@link #chunks}; {@code CLOSED} after
     *     {@link #close}
     */
    public ByteBuffer bytes() {
        List<ByteBuffer> chunks = chunks();
        if (chunks.size() > 1) {
            throw new WeightsException(Kind.UNSUPPORTED, path, "tensor " + WeightsException.quote(info.name()) + " has "
                    + info.bytes() + " bytes, one buffer holds " + MemoryRegion.PIECE_BYTES);
        }
        return chunks.isEmpty() ? ByteBuffer.allocateDirect(0).order(ByteOrder.LITTLE_ENDIAN) : chunks.get(0);
    }

    /**
     * All elements as direct, read-only buffers of 1 GiB (the last one less), from position 0; none when there are none.
     *
     * @throws WeightsException {@code CLOSED} after {@link #close}
     */
    public List<ByteBuffer> chunks() {
        if (region.isClosed()) {
            throw new WeightsException(Kind.CLOSED, path, "tensor " + WeightsException.quote(info.name()) + " was closed");
        }
        return region.buffers().stream().map(b -> b.asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN)).toList();
    }

    @Override
    public void close() {
        region.close();
    }
}
