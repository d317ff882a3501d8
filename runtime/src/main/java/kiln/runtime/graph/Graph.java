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

    /** Multiplications and additions of a node, counted as two; elementwise work as one per element and function. */
    public double flops(Node node) {
        double outputs = node.shape().elements();
        double postOps = outputs * node.postOps().size();
        Op op = node.op();
        if (op instanceof Op.Conv2d convolution && convolution.upsample()) {
            // Each output sees four different inputs through sums of the nine weights.
            return 2 * outputs * 4 * shapeOf(node.inputs().get(0)).channels() + postOps;
        }
        if (op instanceof Op.Conv2d || op instanceof Op.Linear) {
            Weight weight = node.weights().get(0);
            return 2 * outputs * weight.elements() / weight.rows() + postOps;
        }
        if (op instanceof Op.LinearGeglu) {
            Weight weight = node.weights().get(0);
            return 4 * outputs * weight.elements() / weight.rows() + 3 * outputs + postOps;
        }
        if (op instanceof Op.Attention attention) {
            double keys = shapeOf(node.inputs().get(1)).positions();
            return 4.0 * node.shape().rows() * keys * attention.channels() + postOps;
        }
        if (op instanceof Op.GroupNorm || op instanceof Op.LayerNorm) {
            return 6 * outputs + postOps;
        }
        if (op instanceof Op.Input) {
            return 0;
        }
        return outputs + postOps;
    }
}
