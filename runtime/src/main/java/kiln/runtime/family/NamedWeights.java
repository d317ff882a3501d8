package kiln.runtime.family;

import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import kiln.runtime.exec.WeightSource;
import kiln.weights.TensorInfo;
import kiln.weights.WeightsException;
import kiln.weights.WeightsFile;

/**
 * A weights file's tensors under the names that a network asks for, some of them times a constant. A layer without a bias has one of zeros.
 * Reads are safe from any thread; the file stays the caller's to close.
 */
public final class NamedWeights implements WeightSource {
    private static final String WEIGHT = ".weight";
    private static final String BIAS = ".bias";

    private final WeightsFile file;
    private final Map<String, Found> found = new HashMap<>();

    /**
     * Where a parameter comes from.
     *
     * @param tensor its name in the file
     * @param factor that its elements are multiplied by
     */
    public record Place(String tensor, float factor) {}

    /** A tensor, or zeros where there is none. */
    private record Found(TensorInfo tensor, List<Integer> shape, float factor) {
        long elements() {
            return shape.stream().mapToLong(Integer::longValue).reduce(1, Math::multiplyExact);
        }
    }

    /** @param places by the network's name; places of tensors that the file does not have are passed over */
    public NamedWeights(WeightsFile file, Map<String, Place> places) {
        this.file = file;
        places.forEach((name, place) -> file.tensor(place.tensor()).ifPresent(tensor -> found.put(
                name, new Found(tensor, tensor.shape().stream().map(Math::toIntExact).toList(), place.factor()))));
        for (String name : places.keySet()) {
            if (name.endsWith(WEIGHT) && found.containsKey(name)) {
                String bias = name.substring(0, name.length() - WEIGHT.length()) + BIAS;
                found.putIfAbsent(bias, new Found(null, found.get(name).shape().subList(0, 1), 1));
            }
        }
    }

    @Override
    public List<Integer> shape(String name) {
        Found tensor = found.get(name);
        return tensor == null ? null : tensor.shape();
    }

    @Override
    public void read(String name, FloatBuffer target) {
        readRange(name, 0, target.slice(target.position(), Math.toIntExact(found.get(name).elements())));
        target.position(target.position() + Math.toIntExact(found.get(name).elements()));
    }

    @Override
    public void readRange(String name, long begin, FloatBuffer target) {
        Found tensor = found.get(name);
        if (tensor.tensor() == null) {
            while (target.hasRemaining()) {
                target.put(0);
            }
            return;
        }
        int first = target.position();
        try {
            file.readF32Range(tensor.tensor().name(), begin, target);
        } catch (WeightsException e) {
            throw ModelFiles.failure(e);
        }
        if (tensor.factor() != 1) {
            for (int i = first; i < target.position(); i++) {
                target.put(i, target.get(i) * tensor.factor());
            }
        }
    }
}
