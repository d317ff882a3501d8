package kiln.runtime.graph;

import java.util.List;
import java.util.stream.IntStream;

/**
 * One step of a network.
 *
 * @param name the module's name in the checkpoint, for people and for comparisons with other programs
 * @param inputs indices of earlier nodes
 * @param shape of the result
 */
public record Node(String name, Op op, List<Integer> inputs, List<Weight> weights, List<PostOp> postOps, Shape shape) {
    public Node {
        inputs = List.copyOf(inputs);
        weights = List.copyOf(weights);
        postOps = List.copyOf(postOps);
    }

    /** All nodes whose results are read: the inputs, then those of the post-ops. */
    public IntStream reads() {
        return IntStream.concat(
                inputs.stream().mapToInt(Integer::intValue),
                postOps.stream().filter(p -> p.kind().hasInput()).mapToInt(PostOp::input));
    }
}
