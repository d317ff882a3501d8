package kiln.runtime.addon;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import kiln.runtime.exec.WeightSource;

/**
 * A checkpoint's weights with what is added to them: W, then each file's change in the prompt's order, made anew from the mapped file
 * whenever a weight is read, so that leaving a file out gives back the very bits of before. Weights that nothing is added to are handed
 * through. Not for several threads at once.
 */
public final class ChangedWeights implements WeightSource {
    /** Elements that one thread converts at a time. */
    private static final int PIECE = 1 << 17;

    private final WeightSource base;
    private Map<String, List<WeightChange>> changes = Map.of();
    private final Map<String, Map<Integer, float[]>> rows = new HashMap<>();
    /** The changed weight that was read last: executors ask for halves and pieces of one. */
    private String current;
    private float[] values = new float[0];

    public ChangedWeights(WeightSource base) {
        this.base = base;
    }

    /**
     * Adds these from now on, and nothing else.
     *
     * @return the tensors that read otherwise than before
     */
    Set<String> set(Map<String, List<WeightChange>> next) {
        Set<String> differ = new HashSet<>();
        Set<String> all = new HashSet<>(changes.keySet());
        all.addAll(next.keySet());
        for (String tensor : all) {
            if (!keys(changes.get(tensor)).equals(keys(next.get(tensor)))) {
                differ.add(tensor);
            }
        }
        changes = new HashMap<>(next);
        release();
        return differ;
    }

    /** From now on these rows of a table, and no others, read otherwise than in the file. */
    void setRows(String table, Map<Integer, float[]> replaced) {
        rows.put(table, replaced);
    }

    private static List<WeightChange.Key> keys(List<WeightChange> changes) {
        return changes == null ? List.of() : changes.stream().map(WeightChange::key).toList();
    }

    /** Gives the memory back that reading took. */
    void release() {
        current = null;
        values = new float[0];
    }

    @Override
    public List<Integer> shape(String tensor) {
        return base.shape(tensor);
    }

    @Override
    public void read(String tensor, FloatBuffer target) {
        int from = target.position();
        if (changes.containsKey(tensor)) {
            target.put(changed(tensor), 0, elements(tensor));
        } else {
            base.read(tensor, target);
        }
        putRows(tensor, 0, target, from);
    }

    @Override
    public void readRange(String tensor, long begin, FloatBuffer target) {
        int from = target.position();
        if (changes.containsKey(tensor)) {
            target.put(changed(tensor), Math.toIntExact(begin), target.remaining());
        } else {
            base.readRange(tensor, begin, target);
        }
        putRows(tensor, begin, target, from);
    }

    /** Into what was read of a table: elements {@code begin} on, which stand from position {@code from} to the target's. */
    private void putRows(String tensor, long begin, FloatBuffer target, int from) {
        if (!rows.containsKey(tensor)) {
            return;
        }
        long end = begin + target.position() - from;
        rows.get(tensor).forEach((row, values) -> {
            long rowAt = (long) row * values.length;
            long first = Math.max(begin, rowAt);
            long last = Math.min(end, rowAt + values.length);
            if (first < last) {
                target.put((int) (from + first - begin), values, (int) (first - rowAt), (int) (last - first));
            }
        });
    }

    private int elements(String tensor) {
        return Math.toIntExact(base.shape(tensor).stream().mapToLong(Integer::longValue).reduce(1, Math::multiplyExact));
    }

    /** At least as long as the weight. */
    private float[] changed(String tensor) {
        if (tensor.equals(current)) {
            return values;
        }
        current = null;
        int elements = elements(tensor);
        // Formulas see arrays of the very length.
        if (values.length != elements) {
            values = new float[elements];
        }
        float[] target = values;
        IntStream.range(0, (elements + PIECE - 1) / PIECE).parallel().forEach(piece -> {
            int first = piece * PIECE;
            base.readRange(tensor, first, FloatBuffer.wrap(target, first, Math.min(PIECE, elements - first)));
        });
        List<Integer> shape = base.shape(tensor);
        changes.get(tensor).forEach(change -> change.apply(shape, target));
        current = tensor;
        return target;
    }

    private boolean isUntouched(String tensor) {
        return !changes.containsKey(tensor) && rows.getOrDefault(tensor, Map.of()).isEmpty();
    }

    @Override
    public boolean hasHalves(String tensor) {
        return isUntouched(tensor) && base.hasHalves(tensor);
    }

    @Override
    public void lendHalves(String tensor, Consumer<ByteBuffer> reader) {
        if (!isUntouched(tensor)) {
            WeightSource.super.lendHalves(tensor, reader);
        } else {
            base.lendHalves(tensor, reader);
        }
    }
}
