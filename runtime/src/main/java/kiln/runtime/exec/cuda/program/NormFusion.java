package kiln.runtime.exec.cuda.program;

import java.util.List;
import kiln.kernels.op.norm.GroupNormStatistics;
import kiln.kernels.op.product.OnLoad;
import kiln.runtime.graph.Graph;

/**
 * What a graph's group norms leave to their neighbours. Immutable.
 *
 * <p>The node whose result a norm reads leaves that result's statistics: in its epilogue where its kernel can, else by a launch behind it.
 * Two maps that are concatenated have theirs each. The product that reads the norm applies it to what it loads, where its kernel can; such a
 * norm's own result are factors for each channel.
 */
final class NormFusion {
    /** Positions whose statistics are taken together where no epilogue says otherwise. */
    private static final int SLICE = 64;

    private final Graph graph;
    private final NormNeighbours neighbours;
    private final ProductChoice products;

    /** @param products chosen with these neighbours */
    NormFusion(Graph graph, NormNeighbours neighbours, ProductChoice products) {
        this.graph = graph;
        this.neighbours = neighbours;
        this.products = products;
    }

    /** The one product that reads a norm and could apply it, on load or before; −1 for none. */
    int reader(int norm) {
        return neighbours.reader(norm);
    }

    /** Whether the norm's reader applies it as it loads. */
    boolean isAppliedOnLoad(int norm) {
        return reader(norm) >= 0 && products.own(reader(norm)).onLoad() != OnLoad.NOTHING;
    }

    /** The nodes whose results a norm's statistics are of, side by side. */
    List<Integer> sources(int norm) {
        return neighbours.sources(norm);
    }

    /** The last norm that needs the statistics of a node's result; −1 for none. */
    int lastNorm(int node) {
        return neighbours.lastNorm(node);
    }

    boolean hasStatistics(int node) {
        return lastNorm(node) >= 0;
    }

    /** Whether a node's own kernels leave its statistics. */
    boolean isInEpilogue(int node) {
        return products.statisticsSlice(node) > 0;
    }

    /** Positions that a node's statistics are of. */
    int slice(int node) {
        return isInEpilogue(node) ? products.statisticsSlice(node) : SLICE;
    }

    private int slices(int node) {
        return GroupNormStatistics.slices(graph.shapeOf(node).positions(), slice(node));
    }

    /** Of a node's statistics: two 32-bit floats for each channel of each slice. */
    long statisticsBytes(int node) {
        return (long) graph.shapeOf(node).batch() * slices(node) * bytesOfSlice(node);
    }

    private long bytesOfSlice(int node) {
        return 2L * graph.shapeOf(node).channels() * Float.BYTES;
    }

    /** How far behind its first the statistics of a row are, where bands may begin. */
    long statisticsOffset(int node, int row) {
        return (long) row * graph.shapeOf(node).width() / slice(node) * bytesOfSlice(node);
    }

    /** What the rows of a band must be a multiple of, the last one's excepted: what its kernels want, and so that its slices are the whole's. */
    int bandRows(int node) {
        int own = products.bandRowsMultiple(node);
        if (!hasStatistics(node) || isInEpilogue(node)) {
            return own;
        }
        // Without statistics of its own one or two, and parts of a slice are powers of two.
        return Math.max(own, GroupNormStatistics.rowsOfSlices(graph.shapeOf(node).width(), SLICE));
    }

    /** Of a norm's factors and addends. */
    long factorBytes(int norm) {
        return 2L * graph.shapeOf(norm).batch() * graph.shapeOf(norm).channels() * Float.BYTES;
    }
}
