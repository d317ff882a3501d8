package kiln.runtime.exec.cuda.program;

import java.util.Arrays;
import java.util.List;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.Node;
import kiln.runtime.graph.Op;
import kiln.runtime.graph.PostOp;

/**
 * Which nodes stand beside a graph's group norms: those whose results they read, and the products that may do their last part. Immutable.
 */
final class NormNeighbours {
    private final Graph graph;
    /** By norm: the product that may apply it to what it reads; −1 for none. */
    private final int[] readers;

    /** By node: the last norm that needs its statistics; −1 for none. */
    private final int[] lastNorms;

    NormNeighbours(Graph graph) {
        this.graph = graph;
        int count = graph.nodes().size();
        int[] reads = new int[count];
        int[] lastReaders = new int[count];
        for (int i = 0; i < count; i++) {
            int reader = i;
            graph.node(i).reads().forEach(read -> {
                reads[read]++;
                lastReaders[read] = reader;
            });
        }
        readers = new int[count];
        lastNorms = new int[count];
        Arrays.fill(readers, -1);
        Arrays.fill(lastNorms, -1);
        for (int i = 0; i < count; i++) {
            if (graph.node(i).op() instanceof Op.GroupNorm) {
                if (reads[i] == 1 && multiplies(lastReaders[i], i)) {
                    readers[i] = lastReaders[i];
                }
                for (int source : sources(i)) {
                    lastNorms[source] = i;
                }
            }
        }
    }

    /** Whether a norm's only reader is a product that multiplies it, and nobody else wants to see it as it is. */
    private boolean multiplies(int reader, int norm) {
        Node node = graph.node(norm);
        return node.postOps().size() == (hasSilu(node) ? 1 : 0)
                && !graph.outputs().containsValue(norm)
                && ProductLowering.isProduct(graph.node(reader).op())
                && graph.node(reader).inputs().get(0) == norm;
    }

    static boolean hasSilu(Node norm) {
        return !norm.postOps().isEmpty() && norm.postOps().get(0).kind() == PostOp.Kind.SILU;
    }

    /** The one product that reads a norm and could apply it, on load or before; −1 for none. */
    int reader(int norm) {
        return readers[norm];
    }

    /** The nodes whose results a norm's statistics are of, side by side. */
    List<Integer> sources(int norm) {
        int input = graph.node(norm).inputs().get(0);
        Node node = graph.node(input);
        boolean isConcat = node.op() instanceof Op.Concat && node.inputs().size() == 2 && node.postOps().isEmpty();
        return isConcat ? node.inputs() : List.of(input);
    }

    /** The last norm that needs the statistics of a node's result; −1 for none. */
    int lastNorm(int node) {
        return lastNorms[node];
    }
}
