package kiln.runtime.model;

import java.util.Objects;
import kiln.runtime.plan.NetworkNames;

/**
 * One network of a model and the shape that it runs in; what does not matter to it is 0. {@link Model#graph} writes its graph.
 *
 * @param height of the latent for denoiser and decoder, of the picture for the encoder; with {@code width}
 * @param clipSkip 1 for all layers of a text encoder
 * @param tiling whether its pictures join at their opposite edges ({@link kiln.runtime.graph.SeamlessTiling})
 */
public record NetworkShape(String network, int batch, int height, int width, int tokens, int clipSkip, boolean tiling) {
    public NetworkShape {
        Objects.requireNonNull(network, "network");
        if (batch < 1) {
            throw new IllegalArgumentException(network + " with a batch of " + batch);
        }
    }

    /** A chunk of a prompt in one of the model's encoders. */
    public static NetworkShape text(TextEncoder encoder, int clipSkip) {
        return new NetworkShape(encoder.network(), 1, 0, 0, encoder.chunkTokens(), clipSkip, false);
    }

    /** One timestep serves the whole batch. */
    public static NetworkShape denoiser(int batch, int height, int width, int tokens) {
        return new NetworkShape(NetworkNames.DENOISER, batch, height, width, tokens, 0, false);
    }

    /** Height and width in pixels. */
    public static NetworkShape encoder(int batch, int height, int width) {
        return new NetworkShape(NetworkNames.ENCODER, batch, height, width, 0, 0, false);
    }

    /** Height and width of the latent. */
    public static NetworkShape decoder(int batch, int height, int width) {
        return new NetworkShape(NetworkNames.DECODER, batch, height, width, 0, 0, false);
    }

    public NetworkShape withTiling(boolean joins) {
        return new NetworkShape(network, batch, height, width, tokens, clipSkip, joins);
    }
}
