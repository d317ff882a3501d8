package kiln.weights.map;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Bytes outside the Java heap, in pieces of at most 1 GiB: a mapped part of a file, or memory of our own.
 *
 * <p>Whoever made it closes it; closing gives the memory back at once (see {@link #reasonUnmappingIsLate}), and closing
 * twice is harmless. Any thread may read the buffers; none may touch them after the close.
 */
public final class MemoryRegion implements AutoCloseable {
    /** Largest piece: a power of two, so that every element of up to 8 bytes at an aligned place lies in one piece. */
    public static final int PIECE_BYTES = 1 << 30;

    private final List<NativeMemory.Owned> pieces;
    private final List<ByteBuffer> buffers;
    private final AtomicBoolean closed = new AtomicBoolean();

    MemoryRegion(List<NativeMemory.Owned> pieces, boolean readOnly) {
        this.pieces = List.copyOf(pieces);
        this.buffers = pieces.stream()
                .map(piece -> (readOnly ? piece.buffer().asReadOnlyBuffer() : piece.buffer().duplicate())
                        .order(ByteOrder.LITTLE_ENDIAN))
                .toList();
    }

    /** Zeroed memory of our own. */
    public static MemoryRegion allocate(long bytes) {
        List<NativeMemory.Owned> pieces = new ArrayList<>();
        try {
            for (long done = 0; done < bytes; done += PIECE_BYTES) {
                pieces.add(NativeMemory.allocate((int) Math.min(PIECE_BYTES, bytes - done)));
            }
        } catch (RuntimeException | Error e) {
            pieces.forEach(piece -> piece.release().run());
            throw e;
        }
        return new MemoryRegion(pieces, false);
    }

    /** Why closed regions stay in memory until the next garbage collection; empty when they go at once. */
    public static Optional<String> reasonUnmappingIsLate() {
        return NativeMemory.reasonUnmappingIsLate();
    }

    /**
     * The pieces in order, little-endian, each with its own position; all but the last hold {@link #PIECE_BYTES}. Empty when
     * the region has no bytes.
     *
     * @throws IllegalStateException after {@link #close}
     */
    public List<ByteBuffer> buffers() {
        if (closed.get()) {
            throw new IllegalStateException("memory region used after close");
        }
        return buffers.stream().map(buffer -> buffer.duplicate().order(ByteOrder.LITTLE_ENDIAN)).toList();
    }

    public boolean isClosed() {
        return closed.get();
    }

    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            pieces.forEach(piece -> piece.release().run());
        }
    }
}
