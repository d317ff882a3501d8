package kiln.runtime.exec;

import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Random parameters in memory, scaled so that results are about as large as inputs; counts what is read of each. */
public final class MemoryWeights implements WeightSource {
    private final Map<String, List<Integer>> shapes = new HashMap<>();
    private final Map<String, float[]> values = new HashMap<>();
    private final Map<String, Integer> reads = new HashMap<>();
    private final Random random;

    public MemoryWeights(Random random) {
        this.random = random;
    }

    /** A tensor called {@code name} with the given sizes. */
    public MemoryWeights add(String name, Integer... shape) {
        int count = 1;
        for (int size : shape) {
            count *= size;
        }
        float[] elements = new float[count];
        double deviation = shape.length > 1 ? Math.sqrt((double) shape[0] / count) : 0.3;
        for (int i = 0; i < count; i++) {
            elements[i] = (float) (random.nextGaussian() * deviation);
        }
        shapes.put(name, List.of(shape));
        values.put(name, elements);
        return this;
    }

    /** Multiplies every other element. */
    public void scale(String tensor, float factor) {
        float[] elements = values.get(tensor);
        for (int i = 0; i < elements.length; i++) {
            elements[i] *= i % 2 == 0 ? factor : 1;
        }
    }

    /** How often the tensor was read. */
    public int reads(String tensor) {
        return reads.getOrDefault(tensor, 0);
    }

    @Override
    public List<Integer> shape(String tensor) {
        return shapes.get(tensor);
    }

    @Override
    public void read(String tensor, FloatBuffer target) {
        reads.merge(tensor, 1, Integer::sum);
        target.put(values.get(tensor));
    }

    @Override
    public void readRange(String tensor, long begin, FloatBuffer target) {
        reads.merge(tensor, 1, Integer::sum);
        target.put(values.get(tensor), Math.toIntExact(begin), target.remaining());
    }
}
