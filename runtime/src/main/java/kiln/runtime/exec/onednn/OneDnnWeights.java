package kiln.runtime.exec.onednn;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.DoubleConsumer;
import kiln.runtime.exec.WeightSource;
import kiln.runtime.graph.Weight;
import org.bytedeco.dnnl.dnnl_memory;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_primitive_desc;
import org.bytedeco.dnnl.global.dnnl;

/**
 * Parameters in the layouts that primitives chose, made once and shared by all graphs of an executor.
 *
 * <p>A parameter is read from the file into a staging block as 32-bit floats, reordered into its place, and the file's pages are let go by
 * the source: no second copy of a file is held. Those that are kept narrow take turns in one block while they are used.
 */
final class OneDnnWeights implements AutoCloseable {
    /**
     * Rows of a parameter: all of it, or the values' or gates' half.
     *
     * @param corner −1, or which of the four 2×2 kernels that stand for a 3×3 kernel on a doubled map: 2·lower + right
     */
    record Slice(Weight weight, int firstRow, int rows, int corner) {
        static Slice whole(Weight weight) {
            return rows(weight, 0, weight.rows());
        }

        static Slice rows(Weight weight, int firstRow, int rows) {
            return new Slice(weight, firstRow, rows, -1);
        }

        static Slice corner(Weight weight, int corner) {
            return new Slice(weight, 0, weight.rows(), corner);
        }

        long elementsPerRow() {
            return weight.elements() / weight.rows();
        }
    }

    /** A parameter in memory: as it is used in {@code block}, or kept narrow and widened before each use. */
    final class Held {
        private final Slice slice;
        private final dnnl_memory_desc stored;
        private final dnnl_memory_desc layout;
        private final dnnl_memory memory;
        private final Handles handles;
        private AlignedMemory block;
        private NarrowBlock narrow;
        /** Whether graphs widen it before each use; what does not fit 16 bits any more then has a block of its own. */
        private boolean widens;

        private Held(Slice slice, dnnl_memory_desc stored, dnnl_memory_desc layout, dnnl_memory memory, Handles handles) {
            this.slice = slice;
            this.stored = stored;
            this.layout = layout;
            this.memory = memory;
            this.handles = handles;
        }

        dnnl_memory memory() {
            return memory;
        }

        /** Whether {@link #widen} must be called before a primitive reads it, with no other parameter's between. */
        boolean isNarrow() {
            return widens;
        }

        void widen() {
            if (narrow == null) {
                return;
            }
            wideRoom(2 * narrow.bytes());
            Regions.setAddress(memory, wide, 0);
            narrow.widenInto(wide);
        }

        private void close() {
            handles.close();
            if (block != null) {
                block.close();
            }
            if (narrow != null) {
                narrow.close();
            }
        }
    }

    private final WeightSource source;
    private final boolean keepsNarrow;
    private final List<Held> entries = new ArrayList<>();
    private final Map<Slice, List<Held>> bySlice = new HashMap<>();
    private final Map<Weight, float[]> values = new HashMap<>();
    private AlignedMemory staging;
    /** The parameter that is in use, where it is kept narrow. */
    private AlignedMemory wide = new AlignedMemory(0);

    /** @param keepsNarrow whether 32-bit matrices and kernels are kept in 16 bits where these hold all of their values */
    OneDnnWeights(WeightSource source, boolean keepsNarrow) {
        this.source = source;
        this.keepsNarrow = keepsNarrow;
    }

    /**
     * @param stored how the checkpoint's elements lie, 32-bit, in the primitive's dimensions
     * @param wanted the layout to be had
     */
    Held get(Slice slice, dnnl_memory_desc stored, dnnl_memory_desc wanted) {
        // Sums of weights have more digits than weights.
        return get(slice, stored, wanted, keepsNarrow && slice.corner < 0);
    }

    private Held get(Slice slice, dnnl_memory_desc stored, dnnl_memory_desc wanted, boolean mayBeNarrow) {
        for (Held entry : bySlice.getOrDefault(slice, List.of())) {
            if (dnnl.dnnl_memory_desc_equal(entry.layout, wanted) != 0) {
                return entry;
            }
        }
        Handles handles = new Handles();
        dnnl_memory_desc layout = clone(handles, slice, wanted);
        long bytes = dnnl.dnnl_memory_desc_get_size(layout);
        AlignedMemory block = mayBeNarrow ? wideRoom(bytes) : new AlignedMemory(bytes);
        dnnl_memory memory = new dnnl_memory();
        OneDnn.check(dnnl.dnnl_memory_create(memory, layout, OneDnn.engine(), block.at(0)), "placing " + slice.weight);
        handles.own(memory);
        Held entry = new Held(slice, clone(handles, slice, stored), layout, memory, handles);
        entries.add(entry);
        bySlice.computeIfAbsent(slice, key -> new ArrayList<>()).add(entry);
        fill(slice, stored, layout, memory, block);
        entry.narrow = mayBeNarrow ? NarrowBlock.of(block, bytes) : null;
        if (mayBeNarrow && entry.narrow == null) {
            // It is the one that keeps this block; the next needs another.
            wide = new AlignedMemory(0);
        }
        entry.block = entry.narrow == null ? block : null;
        entry.widens = entry.narrow != null;
        return entry;
    }

    private AlignedMemory wideRoom(long bytes) {
        if (wide.bytes() < bytes) {
            wide.close();
            wide = new AlignedMemory(bytes);
        }
        return wide;
    }

    private static dnnl_memory_desc clone(Handles handles, Slice slice, dnnl_memory_desc description) {
        dnnl_memory_desc clone = new dnnl_memory_desc();
        OneDnn.check(dnnl.dnnl_memory_desc_clone(clone, description), "describing " + slice.weight);
        handles.own(clone);
        return clone;
    }

    /** Reads parameters anew, in the places where compiled graphs know them. */
    void reload(Set<String> tensors, DoubleConsumer progress) {
        try {
            List<Held> changed = entries.stream()
                    .filter(entry -> entry.slice.weight.names().stream().anyMatch(tensors::contains))
                    // The parts of one parameter behind each other: the source may have to make it.
                    .sorted(Comparator.comparing(entry -> entry.slice.weight.names().get(0)))
                    .toList();
            for (int i = 0; i < changed.size(); i++) {
                progress.accept((double) i / changed.size());
                refill(changed.get(i));
            }
            values.forEach((weight, kept) -> {
                if (weight.names().stream().anyMatch(tensors::contains)) {
                    read(Slice.whole(weight), FloatBuffer.wrap(kept));
                }
            });
            progress.accept(1);
        } finally {
            releaseStaging();
        }
    }

    private void refill(Held held) {
        if (!held.widens) {
            fill(held.slice, held.stored, held.layout, held.memory, held.block);
            return;
        }
        long bytes = dnnl.dnnl_memory_desc_get_size(held.layout);
        AlignedMemory block = new AlignedMemory(bytes);
        Regions.setAddress(held.memory, block, 0);
        fill(held.slice, held.stored, held.layout, held.memory, block);
        if (held.block != null) {
            held.block.close();
        }
        if (held.narrow != null) {
            held.narrow.close();
        }
        held.narrow = NarrowBlock.of(block, bytes);
        held.block = held.narrow == null ? block : null;
        if (held.narrow != null) {
            block.close();
        }
    }

    /** A vector of 32-bit floats: biases, scales, shifts. */
    dnnl_memory vector(Slice slice) {
        try (Handles temporary = new Handles()) {
            dnnl_memory_desc layout = Descriptors.vector(temporary, slice.rows * slice.elementsPerRow());
            return get(slice, layout, layout, false).memory;
        }
    }

    /** A short parameter for use in Java; the array's contents change with {@link #reload}. */
    float[] values(Weight weight) {
        return values.computeIfAbsent(weight, key -> {
            float[] read = new float[Math.toIntExact(weight.elements())];
            read(Slice.whole(weight), FloatBuffer.wrap(read));
            return read;
        });
    }

    /** Of all that are in memory. */
    long bytes() {
        return entries.stream().mapToLong(held -> held.narrow == null ? held.block.bytes() : held.narrow.bytes()).sum();
    }

    private void fill(Slice slice, dnnl_memory_desc stored, dnnl_memory_desc layout, dnnl_memory memory, AlignedMemory block) {
        long elements = slice.rows * slice.elementsPerRow();
        if (dnnl.dnnl_memory_desc_equal(stored, layout) != 0) {
            read(slice, block.buffer(0, elements * Float.BYTES).asFloatBuffer());
            return;
        }
        stage(elements * Float.BYTES);
        read(slice, staging.buffer(0, elements * Float.BYTES).asFloatBuffer());
        if (slice.corner >= 0) {
            foldKernels(staging.buffer(0, elements * Float.BYTES).asFloatBuffer(), slice.corner);
        }
        try (Handles temporary = new Handles()) {
            dnnl_memory from = new dnnl_memory();
            OneDnn.check(dnnl.dnnl_memory_create(from, stored, OneDnn.engine(), staging.at(0)), "placing " + slice.weight);
            temporary.own(from);
            dnnl_primitive_desc description = new dnnl_primitive_desc();
            OneDnn.check(
                    dnnl.dnnl_reorder_primitive_desc_create(description, stored, OneDnn.engine(), layout, OneDnn.engine(), null),
                    "planning the reordering of " + slice.weight);
            new Primitive(temporary, "reordering " + slice.weight, description)
                    .argument(dnnl.DNNL_ARG_FROM, from)
                    .argument(dnnl.DNNL_ARG_TO, memory)
                    .run();
            OneDnn.check(dnnl.dnnl_stream_wait(OneDnn.stream()), "reordering " + slice.weight);
        }
    }

    private void read(Slice slice, FloatBuffer target) {
        long skip = slice.firstRow * slice.elementsPerRow();
        for (String name : slice.weight.names()) {
            long length = source.shape(name).stream().mapToLong(Integer::longValue).reduce(1, Math::multiplyExact);
            if (skip >= length) {
                skip -= length;
                continue;
            }
            int count = (int) Math.min(length - skip, target.remaining());
            FloatBuffer part = target.slice().limit(count);
            if (skip == 0 && count == length) {
                source.read(name, part);
            } else {
                source.readRange(name, skip, part);
            }
            target.position(target.position() + count);
            skip = 0;
        }
    }

    /**
     * 3×3 kernels to 2×2 kernels, in place: on a map doubled to nearest neighbours two of three rows see the same row of the smaller map,
     * so their weights can be added once and for all.
     */
    private static void foldKernels(FloatBuffer kernels, int corner) {
        int lower = corner >> 1;
        int right = corner & 1;
        float[] from = new float[9];
        float[] to = new float[4];
        for (int k = 0; k < kernels.capacity() / 9; k++) {
            kernels.get(9 * k, from);
            Arrays.fill(to, 0);
            for (int y = 0; y < 3; y++) {
                for (int x = 0; x < 3; x++) {
                    to[2 * ((y + 1 - lower) / 2) + (x + 1 - right) / 2] += from[3 * y + x];
                }
            }
            kernels.put(4 * k, to);
        }
    }

    private void stage(long bytes) {
        if (staging == null || staging.bytes() < bytes) {
            releaseStaging();
            staging = new AlignedMemory(bytes);
        }
    }

    /** Gives the staging block back; called when a graph has been compiled. */
    void releaseStaging() {
        if (staging != null) {
            staging.close();
            staging = null;
        }
    }

    /** No compiled graph may use the parameters any more. */
    @Override
    public void close() {
        releaseStaging();
        entries.forEach(Held::close);
        wide.close();
        entries.clear();
        bySlice.clear();
        values.clear();
    }
}
