package kiln.runtime.exec.cuda.residence;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.function.LongSupplier;
import kiln.kernels.CudaContext;
import kiln.kernels.CudaContext.PinnedMemory;
import kiln.kernels.CudaContext.Stream;
import kiln.kernels.CudaException;
import kiln.runtime.base.ByteSize;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.KilnException.Category;

/**
 * Pinned memory for results that the device has no room for. All users share one block of pieces, since only one of them runs at a time; it
 * grows to what the largest needs, and goes with the last of them.
 */
public final class HostBlock implements AutoCloseable {
    /** One large reservation is refused sooner than several. */
    private static final long MOST_PIECE_BYTES = 256 << 20;
    /** Of what is available: who pins all of it has the system end a process. */
    private static final double MOST_SHARE = 0.9;

    private final CudaContext context;
    private final Set<Object> users = Collections.newSetFromMap(new IdentityHashMap<>());
    private final List<PinnedMemory> pieces = new ArrayList<>();
    private final long pieceBytes;
    private final LongSupplier availableBytes;
    private long bytes;

    public HostBlock(CudaContext context) {
        this(context, MOST_PIECE_BYTES, () -> HostMemory.availableBytes().orElse(Long.MAX_VALUE));
    }

    /** @param availableBytes what the machine can give before others are in need */
    public HostBlock(CudaContext context, long pieceBytes, LongSupplier availableBytes) {
        this.context = context;
        this.pieceBytes = pieceBytes;
        this.availableBytes = availableBytes;
    }

    /**
     * Makes the block at least so large, until the user is {@link #release released}.
     *
     * @throws KilnException OUT_OF_MEMORY when the machine cannot pin so much
     */
    public void reserve(Object user, String network, long wanted) {
        long available = (long) (availableBytes.getAsLong() * MOST_SHARE);
        if (wanted - bytes > available) {
            throw shortage(network, wanted, bytes + available, "", null);
        }
        users.add(user);
        while (bytes < wanted) {
            long next = Math.min(pieceBytes, wanted - bytes);
            // All but the last piece are full, so that offsets need no search.
            if (!pieces.isEmpty() && bytes % pieceBytes != 0) {
                PinnedMemory last = pieces.remove(pieces.size() - 1);
                bytes -= last.bytes().capacity();
                context.free(last);
                continue;
            }
            try {
                pieces.add(context.allocatePinned(next, "results of the " + network));
            } catch (CudaException e) {
                long had = bytes;
                release(user);
                throw shortage(network, wanted, had, e.getMessage() + ": ", e);
            }
            bytes += next;
        }
    }

    private static KilnException shortage(String network, long wanted, long had, String before, CudaException cause) {
        return new KilnException(
                Category.OUT_OF_MEMORY,
                before + "in bands the " + network + " needs " + ByteSize.format(wanted) + " of pinned host memory, and " + ByteSize.format(had)
                        + " could be had: draw a smaller picture, or free memory of the machine or the card",
                cause);
    }

    /** No copy may be queued. */
    public void release(Object user) {
        users.remove(user);
        if (users.isEmpty()) {
            close();
        }
    }

    public void copyToDevice(long offset, long address, long length, Stream stream) {
        for (long done = 0; done < length; ) {
            long at = offset + done;
            long part = Math.min(length - done, pieceBytes - at % pieceBytes);
            context.copyToDevice(piece(at), at % pieceBytes, address + done, part, stream);
            done += part;
        }
    }

    public void copyToHost(long address, long offset, long length, Stream stream) {
        for (long done = 0; done < length; ) {
            long at = offset + done;
            long part = Math.min(length - done, pieceBytes - at % pieceBytes);
            context.copyToHost(address + done, piece(at), at % pieceBytes, part, stream);
            done += part;
        }
    }

    private PinnedMemory piece(long offset) {
        return pieces.get((int) (offset / pieceBytes));
    }

    @Override
    public void close() {
        pieces.forEach(context::free);
        pieces.clear();
        users.clear();
        bytes = 0;
    }
}
