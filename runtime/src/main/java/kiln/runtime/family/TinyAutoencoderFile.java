package kiln.runtime.family;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.KilnException.Category;
import kiln.runtime.exec.WeightSource;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.ModelException;
import kiln.runtime.model.TinyAutoencoder;
import kiln.weights.TensorInfo;
import kiln.weights.WeightsException;
import kiln.weights.WeightsFile;

/**
 * TAESD's weights: a half in a file of its own ({@code taesd_decoder.pth}) or both in one, with names of its author's or of diffusers.
 * Reads are safe from any thread. The creator closes it.
 */
public final class TinyAutoencoderFile implements AutoCloseable {
    private static final int COLOURS = 3;

    private final WeightsFile file;
    private final Half decoder;
    private final Half encoder;

    private record Half(NamedWeights weights, TinyAutoencoder network) {}

    private TinyAutoencoderFile(WeightsFile file) {
        this.file = file;
        boolean whole =
                file.tensors().stream().map(TensorInfo::name).anyMatch(name -> name.startsWith("decoder.") || name.startsWith("encoder."));
        try {
            Half found = half("");
            if (whole) {
                decoder = half("decoder.");
                encoder = half("encoder.");
            } else {
                boolean readsPictures = found != null && channels(found) == COLOURS;
                decoder = readsPictures ? null : found;
                encoder = readsPictures ? found : null;
            }
        } catch (ModelException e) {
            throw unsupported(e.getMessage(), e);
        }
    }

    private static int channels(Half half) {
        return half.weights.shape(half.network.layers().get(0) + ".weight").get(1);
    }

    /** {@code null} where the file has none of its tensors. */
    private Half half(String prefix) {
        Map<String, NamedWeights.Place> places = new HashMap<>();
        for (TensorInfo tensor : file.tensors()) {
            String name = tensor.name().startsWith(prefix) ? tensor.name().substring(prefix.length()) : "";
            name = name.startsWith("layers.") ? name.substring("layers.".length()) : name;
            if (!name.isEmpty() && Character.isDigit(name.charAt(0))) {
                places.put(name, new NamedWeights.Place(tensor.name(), 1));
            }
        }
        if (places.isEmpty()) {
            return null;
        }
        NamedWeights weights = new NamedWeights(file, places);
        TinyAutoencoder network = TinyAutoencoder.infer(weights::shape);
        // Misshapen tensors are told of now.
        network.encoder(weights::shape, 8, 8);
        return new Half(weights, network);
    }

    private KilnException unsupported(String reason, ModelException cause) {
        return new KilnException(Category.UNSUPPORTED_MODEL, file.path() + ": no tiny autoencoder (TAESD): " + reason, cause);
    }

    /** @throws KilnException when the file is missing, broken or something else: one line with its name */
    public static TinyAutoencoderFile open(Path path) {
        WeightsFile file;
        try {
            file = WeightsFile.open(path);
        } catch (WeightsException e) {
            throw ModelFiles.failure(e);
        }
        try {
            TinyAutoencoderFile opened = new TinyAutoencoderFile(file);
            if (opened.decoder == null && opened.encoder == null) {
                throw opened.unsupported("there are no layers with numbers", null);
            }
            return opened;
        } catch (RuntimeException e) {
            file.close();
            throw e;
        }
    }

    public boolean hasDecoder() {
        return decoder != null;
    }

    public boolean hasEncoder() {
        return encoder != null;
    }

    /** As {@link TinyAutoencoder#decoder} has it. */
    public Graph decoder(int height, int width) {
        return decoder.network.decoder(decoder.weights::shape, height, width);
    }

    /** As {@link TinyAutoencoder#encoder} has it. */
    public Graph encoder(int height, int width) {
        return encoder.network.encoder(encoder.weights::shape, height, width);
    }

    public WeightSource decoderWeights() {
        return decoder.weights;
    }

    public WeightSource encoderWeights() {
        return encoder.weights;
    }

    @Override
    public void close() {
        file.close();
    }
}
