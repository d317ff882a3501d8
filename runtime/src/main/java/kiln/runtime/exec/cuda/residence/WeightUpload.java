package kiln.runtime.exec.cuda.residence;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import kiln.kernels.CudaContext;
import kiln.kernels.CudaContext.Event;
import kiln.kernels.CudaContext.PinnedMemory;
import kiln.kernels.CudaContext.Stream;
import kiln.runtime.exec.WeightSource;
import kiln.runtime.exec.cuda.program.DeviceWeight;

/**
 * Brings parameters from the checkpoint to the card, one way: through two small pinned buffers, one of which is written while the other is
 * copied.
 *
 * <p>Weights that come again and again are kept ready in pinned memory, as long as the machine has plenty; the rest is read from the mapped
 * file and converted each time.
 */
public final class WeightUpload implements AutoCloseable {
    private static final int STAGING_BYTES = 8 << 20;

    private final CudaContext context;
    private final WeightSource source;
    private final PinnedMemory[] staging = new PinnedMemory[2];
    private final Event[] copied = new Event[2];
    private final PinnedStore store;
    private final Map<DeviceWeight, PinnedStore.Part> kept = new HashMap<>();
    private int turn;

    /** @param mostKeptBytes that may be kept ready in pinned memory */
    public WeightUpload(CudaContext context, WeightSource source, long mostKeptBytes) {
        this.context = context;
        this.source = source;
        store = new PinnedStore(context, mostKeptBytes);
    }

    /**
     * Queues the copy of a weight.
     *
     * @param again whether it is likely to come again
     */
    public void upload(DeviceWeight weight, long address, boolean again, Stream stream) {
        PinnedStore.Part ready = again ? keep(weight) : null;
        if (ready == null) {
            convert(weight, address, stream);
        } else {
            context.copyToDevice(ready.piece(), ready.offset(), address, ready.bytes(), stream);
        }
    }

    /** Queues the copy of a unit into its slot. */
    public void stream(StreamedUnit unit, Stream stream) {
        for (int i = 0; i < unit.weights().size(); i++) {
            upload(unit.weights().get(i), unit.address() + unit.offsets().get(i), true, stream);
        }
    }

    private void convert(DeviceWeight weight, long address, Stream stream) {
        WeightEncoder encoder = new WeightEncoder(source, weight);
        for (long at = 0; at < weight.bytes(); ) {
            int slot = nextStaging();
            PinnedMemory buffer = staging[slot];
            int length = (int) Math.min(buffer.bytes().capacity(), weight.bytes() - at);
            encoder.write(at, buffer.bytes().clear().limit(length));
            context.copyToDevice(buffer, 0, address + at, length, stream);
            context.record(copied[slot], stream);
            at += length;
        }
    }

    /** The weight in pinned memory; {@code null} when there is no room for it. */
    private PinnedStore.Part keep(DeviceWeight weight) {
        PinnedStore.Part ready = kept.get(weight);
        if (ready == null) {
            ready = store.take(weight.bytes());
            if (ready != null) {
                new WeightEncoder(source, weight).write(0, ready.buffer());
                kept.put(weight, ready);
            }
        }
        return ready;
    }

    /** Makes those anew that are kept ready and have one of the tensors in them. No copy from them is queued. */
    void remake(Set<String> tensors) {
        kept.forEach((weight, part) -> {
            if (weight.weight().names().stream().anyMatch(tensors::contains)) {
                new WeightEncoder(source, weight).write(0, part.buffer());
            }
        });
    }

    /** The staging buffer whose copy was begun longest ago, waited for. */
    private int nextStaging() {
        int slot = turn;
        turn = 1 - turn;
        if (staging[slot] == null) {
            PinnedMemory buffer = context.allocatePinned(STAGING_BYTES, "staging of weights");
            try {
                copied[slot] = context.createEvent(false);
            } catch (RuntimeException e) {
                context.free(buffer);
                throw e;
            }
            staging[slot] = buffer;
        } else {
            context.synchronize(copied[slot]);
        }
        return slot;
    }

    @Override
    public void close() {
        kept.clear();
        store.close();
        for (int slot = 0; slot < staging.length; slot++) {
            if (staging[slot] != null) {
                context.free(staging[slot]);
                staging[slot] = null;
                context.destroy(copied[slot]);
            }
        }
    }
}
