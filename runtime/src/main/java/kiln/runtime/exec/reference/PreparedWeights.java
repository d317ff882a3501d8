package kiln.runtime.exec.reference;

import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import kiln.runtime.exec.WeightSource;
import kiln.runtime.graph.Weight;

/** Parameters as 32-bit floats, read once for all graphs of an executor. Safe for one thread at a time. */
final class PreparedWeights {
    private final WeightSource source;
    private final Map<List<String>, float[][]> matrices = new HashMap<>();
    private final Map<List<String>, float[]> vectors = new HashMap<>();

    PreparedWeights(WeightSource source) {
        this.source = source;
    }

    /** A bias, scale or shift. */
    float[] vector(Weight weight) {
        return vectors.computeIfAbsent(weight.names(), names -> read(weight));
    }

    /**
     * A matrix {@code [out, in]} or a kernel {@code [out, in, side, side]}, transposed: for each input, by row of the kernel, column of the
     * kernel and channel, its weights to all outputs.
     */
    float[][] matrix(Weight weight) {
        return matrices.computeIfAbsent(weight.names(), names -> transposed(weight));
    }

    private float[][] transposed(Weight weight) {
        float[] values = read(weight);
        int outputs = weight.rows();
        int channels = weight.shape().get(1);
        int perOutput = values.length / outputs;
        int places = perOutput / channels;
        float[][] rows = new float[perOutput][outputs];
        for (int out = 0; out < outputs; out++) {
            for (int channel = 0; channel < channels; channel++) {
                for (int place = 0; place < places; place++) {
                    rows[place * channels + channel][out] = values[out * perOutput + channel * places + place];
                }
            }
        }
        return rows;
    }

    /** All parts of a parameter, one behind the other. */
    private float[] read(Weight weight) {
        float[] values = new float[Math.toIntExact(weight.elements())];
        FloatBuffer target = FloatBuffer.wrap(values);
        for (String name : weight.names()) {
            int length = Math.toIntExact(source.shape(name).stream().mapToLong(Integer::longValue).reduce(1, Math::multiplyExact));
            source.read(name, target.slice(target.position(), length));
            target.position(target.position() + length);
        }
        return values;
    }

    /** One row of a table that is not kept in memory. */
    void row(Weight table, int index, float[] target) {
        source.readRange(table.names().get(0), (long) index * target.length, FloatBuffer.wrap(target));
    }

    /** Those that have one of the tensors in them are read anew. */
    void forget(Set<String> tensors) {
        matrices.keySet().removeIf(names -> names.stream().anyMatch(tensors::contains));
        vectors.keySet().removeIf(names -> names.stream().anyMatch(tensors::contains));
    }

    void clear() {
        matrices.clear();
        vectors.clear();
    }
}
