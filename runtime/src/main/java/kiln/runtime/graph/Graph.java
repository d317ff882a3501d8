package kiln.runtime.graph;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A network for one shape: nodes in the order of execution, each reading only earlier ones.
 *
 * @param inputs name → node
 * @param outputs name → node
 */
public record Graph(List<Node> nodes, Map<String, Integer> inputs, Map<String, Integer> outputs) {
    public Graph {
        nodes = List.copyOf(nodes);
        inputs = Map.copyOf(inputs);
        outputs = Map.copyOf(outputs);
        for (int i = 0; i < nodes.size(); i++) {
            int place = i;
            if (nodes.get(i).reads().anyMatch(read -> read >= place)) {
                throw new IllegalArgumentException("node " + i + " (" + nodes.get(i).name() + ") reads a later one");
            }
        }
    }

    public Node node(int index) {
        return nodes.get(index);
    }

    public Shape shapeOf(int index) {
        return nodes.get(index).shape();
    }

    /** Every parameter once, in the order of first use. */
    public List<Weight> weights() {
        Map<List<String>, Weight> seen = new LinkedHashMap<>();
        for (Node node : nodes) {
            node.weights().forEach(weight -> seen.putIfAbsent(weight.names(), weight));
        }
        return List.copyOf(seen.values());
    }

    /** Multiplications and additions of the whole, counted as two. */
    public double flops() {
        double sum = 0;
        for (Node node : nodes) {
            sum += flops(node);
        }
        return sum;
    }

    /** What a node's op costs ({@link Op#flops}), and one for each value and post-op. */
    public double flops(Node node) {
        List<Shape> read = node.inputs().stream().map(this::shapeOf).toList();
        double postOps = (double) node.shape().elements() * node.postOps().size();
        return node.op().flops(read, node.weights(), node.shape()) + postOps;
    }
}
