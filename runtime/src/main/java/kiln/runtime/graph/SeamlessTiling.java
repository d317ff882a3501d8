package kiln.runtime.graph;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Makes a network's pictures tile: every convolution that pads all sides alike reads the opposite edge where it would read zeros (PyTorch's
 * {@code padding_mode="circular"}, which A1111's "Tiling" gives every convolution). What the original code pads by itself before a convolution, to
 * the right and below only, stays zeros there as well.
 */
public final class SeamlessTiling {
    private SeamlessTiling() {}

    /** @param graph as a model builds it, before {@link Fusion} */
    public static Graph of(Graph graph) {
        List<Node> nodes = new ArrayList<>();
        int[] placeOf = new int[graph.nodes().size()];
        for (int i = 0; i < placeOf.length; i++) {
            Node node = graph.node(i);
            List<Integer> inputs = node.inputs().stream().map(input -> placeOf[input]).toList();
            List<PostOp> postOps = node.postOps().stream()
                    .map(postOp -> postOp.kind().hasInput() ? new PostOp(postOp.kind(), placeOf[postOp.input()]) : postOp)
                    .toList();
            Op op = node.op();
            if (op instanceof Op.Conv2d convolution && convolution.padBefore() > 0 && convolution.padBefore() == convolution.padAfter()) {
                Op.WrapAround wrap = new Op.WrapAround(convolution.padBefore());
                Shape wrapped = wrap.result(List.of(graph.shapeOf(node.inputs().get(0))), List.of());
                nodes.add(new Node(node.name() + ".wrap", wrap, inputs, List.of(), List.of(), wrapped));
                inputs = List.of(nodes.size() - 1);
                op = new Op.Conv2d(convolution.kernel(), convolution.stride(), 0, 0, false);
            }
            placeOf[i] = nodes.size();
            nodes.add(new Node(node.name(), op, inputs, node.weights(), postOps, node.shape()));
        }
        return new Graph(nodes, moved(graph.inputs(), placeOf), moved(graph.outputs(), placeOf));
    }

    private static Map<String, Integer> moved(Map<String, Integer> named, int[] placeOf) {
        Map<String, Integer> moved = new HashMap<>();
        named.forEach((name, node) -> moved.put(name, placeOf[node]));
        return moved;
    }
}
