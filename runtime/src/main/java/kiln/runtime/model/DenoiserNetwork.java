package kiln.runtime.model;

import java.util.Objects;
import kiln.runtime.graph.Graph;

/**
 * The network that runs at every step.
 *
 * @param inChannels of its input {@code latent}: the latent's own, and behind them what else it reads (a mask, a masked picture)
 * @param contextWidth of its input {@code context}
 * @param writer its graph: inputs {@code latent} {@code [batch, height, width, inChannels]}, {@code timesteps} {@code [1, 1, 1, 1]} and
 *     {@code context} {@code [batch, 1, tokens, contextWidth]}, output {@link #OUTPUT} {@code [batch, height, width, latent channels]}
 */
public record DenoiserNetwork(int inChannels, int contextWidth, Writer writer) {
    /** The prediction, whether it means noise, velocity or something else: see {@link Model#prediction}. */
    public static final String OUTPUT = "eps";

    public DenoiserNetwork {
        Objects.requireNonNull(writer, "writer");
        if (inChannels < 1 || contextWidth < 1) {
            throw new IllegalArgumentException("a denoiser of " + inChannels + " channels with a context of " + contextWidth);
        }
    }

    /** Writes the graph for a shape. */
    @FunctionalInterface
    public interface Writer {
        /** @param height with {@code width}, of the latent */
        Graph write(int batch, int height, int width, int tokens);
    }
}
