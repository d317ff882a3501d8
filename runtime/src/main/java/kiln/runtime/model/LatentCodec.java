package kiln.runtime.model;

import java.util.Objects;
import kiln.runtime.graph.Graph;

/**
 * From pictures to latents and back. Latents here are in the networks' own scale: see {@link LatentFormat}.
 *
 * @param encoder input {@code image} {@code [batch, height, width, 3]}, values of −1…1; output {@code moments} {@code [batch, h, w,
 *     2 · channels]}, means first, then log-variances; height and width are the picture's
 * @param decoder input {@code latent} {@code [batch, h, w, channels]}, output {@code image}; height and width are the latent's
 */
public record LatentCodec(Writer encoder, Writer decoder) {
    public LatentCodec {
        Objects.requireNonNull(encoder, "encoder");
        Objects.requireNonNull(decoder, "decoder");
    }

    /** Writes a graph for a shape. */
    @FunctionalInterface
    public interface Writer {
        Graph write(int batch, int height, int width);
    }
}
