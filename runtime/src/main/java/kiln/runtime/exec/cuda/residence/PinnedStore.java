package kiln.runtime.exec.cuda.residence;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import kiln.kernels.CudaContext;
import kiln.kernels.CudaContext.PinnedMemory;
import kiln.kernels.CudaException;
import kiln.runtime.exec.cuda.program.DeviceWeight;

/** Room in pinned memory, given out once and given back all together: pinning is slow, so it is done in large pieces. */
final class PinnedStore implements AutoCloseable {
    private static final int PIECE_BYTES = 64 << 20;

    /** A part of a piece. */
    record Part(PinnedMemory piece, int offset, int bytes) {
        ByteBuffer buffer() {
            return piece.bytes().clear().position(offset).limit(offset + bytes);
        }
    }

    private final CudaContext context;
    private final List<PinnedMemory> pieces = new ArrayList<>();
    private final long mostBytes;
    private long bytes;
    private int used;
    private boolean full;

    /** @param mostBytes of all pieces together */
    PinnedStore(CudaContext context, long mostBytes) {
        this.context = context;
        this.mostBytes = mostBytes;
    }

    /** Room for so many bytes, {@code null} when there is none: also when the machine cannot pin more. */
    Part take(long wanted) {
        PinnedMemory last = pieces.isEmpty() ? null : pieces.get(pieces.size() - 1);
        if (last == null || wanted > last.bytes().capacity() - used) {
            last = newPiece(Math.max(wanted, PIECE_BYTES));
            if (last == null) {
                return null;
            }
        }
        Part part = new Part(last, used, Math.toIntExact(wanted));
        used += Math.toIntExact(DeviceWeight.align(wanted));
        return part;
    }

    private PinnedMemory newPiece(long size) {
        if (full || size > Integer.MAX_VALUE - DeviceWeight.ALIGNMENT || bytes + size > mostBytes) {
            return null;
        }
        try {
            pieces.add(context.allocatePinned(size, "weights that come again"));
        } catch (CudaException e) {
            full = true;
            return null;
        }
        bytes += size;
        used = 0;
        return pieces.get(pieces.size() - 1);
    }

    /** Gives all of it back. No copy from it may be queued. */
    @Override
    public void close() {
        pieces.forEach(context::free);
        pieces.clear();
        bytes = 0;
        used = 0;
        full = false;
    }
}
