package kiln.runtime.model;

import java.util.Objects;
import kiln.runtime.graph.Graph;

/**
 * A network that reads a prompt.
 *
 * @param network what it is called in plans and to people; a model's encoders have different names
 * @param width of what it gives for each token
 * @param layers how many there are to skip: the largest clip skip
 * @param chunkTokens tokens that go through it together, begin and end included
 * @param writer its graph: input {@code tokens} {@code [batch, 1, tokens, 1]}, output {@code context} {@code [batch, 1, tokens, width]}
 */
public record TextEncoder(String network, int width, int layers, int chunkTokens, Writer writer) {
    public TextEncoder {
        Objects.requireNonNull(network, "network");
        Objects.requireNonNull(writer, "writer");
        if (width < 1 || layers < 1 || chunkTokens < 3) {
            throw new IllegalArgumentException(network + ": width " + width + ", " + layers + " layers, chunks of " + chunkTokens);
        }
    }

    /** Writes the graph for a shape. */
    @FunctionalInterface
    public interface Writer {
        /** @param clipSkip 1 for all layers, k for the output of the k-th layer from the end */
        Graph write(int batch, int tokens, int clipSkip);
    }
}
