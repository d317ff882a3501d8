package kiln.runtime.model;

import java.util.List;
import java.util.Objects;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.SeamlessTiling;
import kiln.runtime.plan.NetworkNames;
import kiln.runtime.sampling.ModelSampling;
import kiln.runtime.sampling.Prediction;

/**
 * What draws: the networks of a checkpoint and what their numbers mean. Made by the model's family from the shapes of its tensors; holds no
 * weights. Immutable.
 *
 * @param encoders their results stand side by side along the channels
 * @param prediction what the denoiser's output means
 * @param sampling the noise levels that it was trained at
 * @param side of a picture, in pixels, that it draws best
 */
public record Model(
        List<TextEncoder> encoders,
        DenoiserNetwork denoiser,
        LatentCodec codec,
        LatentFormat latent,
        Prediction prediction,
        ModelSampling sampling,
        int side) {
    public Model {
        encoders = List.copyOf(encoders);
        Objects.requireNonNull(denoiser, "denoiser");
        Objects.requireNonNull(codec, "codec");
        Objects.requireNonNull(latent, "latent");
        Objects.requireNonNull(prediction, "prediction");
        Objects.requireNonNull(sampling, "sampling");
        if (encoders.isEmpty() || side < latent.pixels()) {
            throw new IllegalArgumentException(encoders.size() + " text encoders, pictures of " + side);
        }
    }

    /** The network's graph for its shape, unfused; a new one at each call. */
    public Graph graph(NetworkShape shape) {
        return shape.tiling() ? SeamlessTiling.of(plainGraph(shape)) : plainGraph(shape);
    }

    private Graph plainGraph(NetworkShape shape) {
        return switch (shape.network()) {
            case NetworkNames.DENOISER -> denoiser.writer().write(shape.batch(), shape.height(), shape.width(), shape.tokens());
            case NetworkNames.ENCODER -> codec.encoder().write(shape.batch(), shape.height(), shape.width());
            case NetworkNames.DECODER -> codec.decoder().write(shape.batch(), shape.height(), shape.width());
            default -> encoder(shape.network()).writer().write(shape.batch(), shape.tokens(), shape.clipSkip());
        };
    }

    private TextEncoder encoder(String network) {
        return encoders.stream()
                .filter(encoder -> encoder.network().equals(network))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("this model has no network called " + network));
    }

    /** How many layers every text encoder has at least. */
    public int mostClipSkip() {
        return encoders.stream().mapToInt(TextEncoder::layers).min().orElseThrow();
    }
}
