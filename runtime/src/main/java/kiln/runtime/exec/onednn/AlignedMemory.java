package kiln.runtime.exec.onednn;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;

/** A block of native memory aligned to 64 bytes. The creator closes it; not for use from several threads while being closed. */
final class AlignedMemory implements AutoCloseable {
    private static final int ALIGNMENT = 64;

    private final long bytes;
    private final long address;
    private Pointer block;

    AlignedMemory(long bytes) {
        this.bytes = bytes;
        block = Pointer.malloc(bytes + ALIGNMENT);
        if (block == null || block.isNull()) {
            throw new OutOfMemoryError("no " + (bytes >> 20) + " MiB of native memory left");
        }
        address = (block.address() + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }

    long bytes() {
        return bytes;
    }

    long address() {
        if (block == null) {
            throw new IllegalStateException("native memory is closed");
        }
        return address;
    }

    /** A pointer to a place in the block, for native calls and buffers. */
    Pointer at(long offset) {
        return new Place(address() + offset);
    }

    /** A little-endian view of a part. */
    ByteBuffer buffer(long offset, long length) {
        if (offset < 0 || length < 0 || offset + length > bytes) {
            throw new IndexOutOfBoundsException(offset + "+" + length + " of " + bytes);
        }
        return new BytePointer(at(offset)).capacity(length).asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public void close() {
        if (block != null) {
            Pointer.free(block);
            block = null;
        }
    }

    /** A raw address as JavaCPP's pointer type. */
    private static final class Place extends Pointer {
        Place(long address) {
            this.address = address;
        }
    }
}
