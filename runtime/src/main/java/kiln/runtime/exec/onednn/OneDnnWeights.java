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
 * the source: no second copy of a file is held.
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

    private record Entry(
            Slice slice, dnnl_memory_desc stored, dnnl_memory_desc layout, dnnl_memory memory, AlignedMemory block, Handles handles) {
        void close() {
            handles.close();
            block.close();
        }
    }

    private final WeightSource source;
    private final List<Entry> entries = new ArrayList<>();
    private final Map<Slice, List<Entry>> bySlice = new HashMap<>();
    private final Map<Weight, float[]> values = new HashMap<>();
    private AlignedMemory staging;

    OneDnnWeights(WeightSource source) {
        this.source = source;
    }

    /**
     * @param stored how the checkpoint's elements lie, 32-bit, in the primitive's dimensions
     * @param wanted the layout to be had
     */
    dnnl_memory get(Slice slice, dnnl_memory_desc stored, dnnl_memory_desc wanted) {
        for (Entry entry : bySlice.getOrDefault(slice, List.of())) {
            if (dnnl.dnnl_memory_desc_equal(entry.layout, wanted) != 0) {
                return entry.memory;
            }
        }
        Handles handles = new Handles();
        dnnl_memory_desc layout = clone(handles, slice, wanted);
        AlignedMemory block = new AlignedMemory(dnnl.dnnl_memory_desc_get_size(layout));
        dnnl_memory memory = new dnnl_memory();
        OneDnn.check(dnnl.dnnl_memory_create(memory, layout, OneDnn.engine(), block.at(0)), "placing " + slice.weight);
        handles.own(memory);
        Entry entry = new Entry(slice, clone(handles, slice, stored), layout, memory, block, handles);
        fill(entry);
        entries.add(entry);
        bySlice.computeIfAbsent(slice, key -> new ArrayList<>()).add(entry);
        return memory;
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
            List<Entry> changed = entries.stream()
                    .filter(entry -> entry.slice.weight.names().stream().anyMatch(tensors::contains))
                    // The parts of one parameter behind each other: the source may have to make it.
                    .sorted(Comparator.comparing(entry -> entry.slice.weight.names().get(0)))
                    .toList();
            for (int i = 0; i < changed.size(); i++) {
                progress.accept((double) i / changed.size());
                fill(changed.get(i));
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

    /** A vector of 32-bit floats: biases, scales, shifts. */
    dnnl_memory vector(Slice slice) {
        try (Handles temporary = new Handles()) {
            dnnl_memory_desc layout = Descriptors.vector(temporary, slice.rows * slice.elementsPerRow());
            return get(slice, layout, layout);
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

    private void fill(Entry entry) {
        Slice slice = entry.slice;
        dnnl_memory_desc stored = entry.stored;
        dnnl_memory_desc layout = entry.layout;
        long elements = slice.rows * slice.elementsPerRow();
        if (dnnl.dnnl_memory_desc_equal(stored, layout) != 0) {
            read(slice, entry.block.buffer(0, elements * Float.BYTES).asFloatBuffer());
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
                    .argument(dnnl.DNNL_ARG_TO, entry.memory)
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
        entries.forEach(Entry::close);
        entries.clear();
        bySlice.clear();
        values.clear();
    }
}
