package kiln.runtime.check;

import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import kiln.runtime.exec.WeightSource;

/** Random parameters by module name, scaled so that results are about as large as inputs. */
final class RandomWeights implements WeightSource {
    private final Map<String, List<Integer>> shapes = new HashMap<>();
    private final Map<String, float[]> values = new HashMap<>();
    private final Random random;

    RandomWeights(Random random) {
        this.random = random;
    }

    RandomWeights matrix(String module, Integer... shape) {
        long columns = 1;
        for (int i = 1; i < shape.length; i++) {
            columns *= shape[i];
        }
        shapes.put(module + ".weight", List.of(shape));
        values.put(module + ".weight", normals(random, shape[0] * columns, 1 / Math.sqrt(columns)));
        return this;
    }

    RandomWeights scale(String module, int channels) {
        shapes.put(module + ".weight", List.of(channels));
        values.put(module + ".weight", normals(random, channels, 1));
        return this;
    }

    RandomWeights bias(String module, int channels) {
        shapes.put(module + ".bias", List.of(channels));
        values.put(module + ".bias", normals(random, channels, 1));
        return this;
    }

    static float[] normals(Random random, long count, double deviation) {
        float[] values = new float[Math.toIntExact(count)];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (random.nextGaussian() * deviation);
        }
        return values;
    }

    @Override
    public List<Integer> shape(String tensor) {
        return shapes.get(tensor);
    }

    @Override
    public void read(String tensor, FloatBuffer target) {
        target.put(values.get(tensor));
    }

    @Override
    public void readRange(String tensor, long begin, FloatBuffer target) {
        target.put(values.get(tensor), Math.toIntExact(begin), target.remaining());
    }
}
