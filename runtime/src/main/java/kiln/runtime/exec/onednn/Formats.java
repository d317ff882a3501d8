package kiln.runtime.exec.onednn;

import java.util.Arrays;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.Node;
import kiln.runtime.graph.Op;
import kiln.runtime.graph.PostOp;

/**
 * In which format each result of a graph is kept.
 *
 * <p>Where the executor's format is bf16, the sums that run through a network from block to block stay 32-bit as long as they are only
 * normalised and added to: each rounding of such a sum would stay in it to the end. Outputs are 32-bit, too. Large maps are left in bf16,
 * where memory's speed and size count for more.
 */
final class Formats {
    /** Results of more elements (32 MiB in 32 bits) are not widened. */
    private static final long MOST_WIDE_ELEMENTS = 9 << 20;

    private final NumberFormat[] formats;

    private Formats(NumberFormat[] formats) {
        this.formats = formats;
    }

    static Formats of(Graph graph, NumberFormat format) {
        int count = graph.nodes().size();
        NumberFormat[] formats = new NumberFormat[count];
        Arrays.fill(formats, format);
        boolean[] wide = new boolean[count];
        for (int i = 0; i < count; i++) {
            Node node = graph.node(i);
            if (node.op() instanceof Op.Input input && input.exact()) {
                formats[i] = NumberFormat.F32;
            }
            wide[i] = canWriteWide(node);
        }
        for (Node node : graph.nodes()) {
            boolean readsWide = node.op() instanceof Op.GroupNorm || node.op() instanceof Op.LayerNorm;
            if (!readsWide) {
                node.inputs().forEach(input -> wide[input] = false);
            }
        }
        for (int i = 0; i < count; i++) {
            if (wide[i]) {
                formats[i] = NumberFormat.F32;
            }
        }
        return new Formats(formats);
    }

    private static boolean canWriteWide(Node node) {
        boolean matrix = node.op() instanceof Op.Linear || node.op() instanceof Op.Conv2d convolution && !convolution.upsample();
        boolean vector = node.postOps().stream().anyMatch(postOp -> postOp.kind() == PostOp.Kind.ADD_PER_CHANNEL);
        return matrix && !vector && node.shape().elements() <= MOST_WIDE_ELEMENTS;
    }

    NumberFormat of(int node) {
        return formats[node];
    }

    int bytes(int node) {
        return formats[node].bytes();
    }
}
