package kiln.runtime.graph;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Passes that rewrite a graph into fewer, larger nodes with the same result.
 *
 * <ul>
 *   <li>linear layers of one input that attention reads together become one (packed q, k, v)
 *   <li>a doubling of the size goes into the convolution behind it, which then does 4/9 of the work
 *   <li>activations, sums and per-channel sums become post-ops of the node whose result they alone read
 * </ul>
 */
public final class Fusion {
    private Fusion() {}

    public static Graph fuse(Graph graph) {
        return foldPostOps(foldUpsampling(packAttentionInputs(graph)));
    }

    /** Merges the linear layers that feed one attention from the same result. */
    static Graph packAttentionInputs(Graph graph) {
        int[] uses = uses(graph);
        Rewriter rewriter = new Rewriter(graph);
        Map<Integer, Integer> packedOf = new HashMap<>();
        Map<Integer, Integer> offsetOf = new HashMap<>();
        for (int i = 0; i < graph.nodes().size(); i++) {
            Node node = graph.node(i);
            if (node.op() instanceof Op.Attention attention && attention.qOffset() + attention.kOffset() + attention.vOffset() == 0) {
                packInputs(graph, i, uses, packedOf, offsetOf);
            }
        }
        for (int i = 0; i < graph.nodes().size(); i++) {
            Node node = graph.node(i);
            Integer first = packedOf.get(i);
            if (first != null && first != i) {
                continue;
            }
            if (first != null) {
                List<Node> parts = new ArrayList<>();
                for (int j = i; j < graph.nodes().size(); j++) {
                    if (packedOf.getOrDefault(j, -1) == i) {
                        parts.add(graph.node(j));
                    }
                }
                rewriter.put(i, packed(parts));
            } else if (node.op() instanceof Op.Attention attention) {
                List<Integer> sources = new ArrayList<>();
                int[] offsets = {attention.qOffset(), attention.kOffset(), attention.vOffset()};
                for (int j = 0; j < 3; j++) {
                    int source = node.inputs().get(j);
                    offsets[j] += offsetOf.getOrDefault(source, 0);
                    sources.add(packedOf.getOrDefault(source, source));
                }
                Op op = new Op.Attention(
                        attention.heads(), attention.headSize(), attention.causal(), offsets[0], offsets[1], offsets[2]);
                rewriter.put(i, new Node(node.name(), op, sources, node.weights(), node.postOps(), node.shape()));
            } else {
                rewriter.put(i, node);
            }
        }
        return rewriter.build();
    }

    private static void packInputs(
            Graph graph, int attention, int[] uses, Map<Integer, Integer> packedOf, Map<Integer, Integer> offsetOf) {
        List<Integer> inputs = graph.node(attention).inputs();
        for (int leader : inputs) {
            if (packedOf.containsKey(leader)) {
                continue;
            }
            List<Integer> group = inputs.stream().filter(other -> canPack(graph, leader, other, uses)).sorted().toList();
            if (group.size() < 2) {
                continue;
            }
            int offset = 0;
            for (int member : group) {
                packedOf.put(member, group.get(0));
                offsetOf.put(member, offset);
                offset += graph.shapeOf(member).channels();
            }
        }
    }

    private static boolean canPack(Graph graph, int leader, int other, int[] uses) {
        Node a = graph.node(leader);
        Node b = graph.node(other);
        return a.op() instanceof Op.Linear
                && b.op() instanceof Op.Linear
                && a.inputs().equals(b.inputs())
                && a.weights().size() == b.weights().size()
                && a.postOps().isEmpty()
                && b.postOps().isEmpty()
                && uses[leader] == 1
                && uses[other] == 1;
    }

    private static Node packed(List<Node> parts) {
        Node first = parts.get(0);
        List<Weight> weights = new ArrayList<>();
        for (int w = 0; w < first.weights().size(); w++) {
            int place = w;
            weights.add(Weight.stacked(parts.stream().map(part -> part.weights().get(place)).toList()));
        }
        int channels = parts.stream().mapToInt(part -> part.shape().channels()).sum();
        return new Node(
                first.name(), first.op(), first.inputs(), weights, List.of(), first.shape().withChannels(channels));
    }

    /** Lets 3×3 convolutions read the smaller map. */
    static Graph foldUpsampling(Graph graph) {
        int[] uses = uses(graph);
        boolean[] folded = new boolean[graph.nodes().size()];
        for (Node node : graph.nodes()) {
            if (node.op() instanceof Op.Conv2d convolution && convolution.kernel() == 3 && convolution.stride() == 1
                    && convolution.padBefore() == 1 && convolution.padAfter() == 1) {
                int input = node.inputs().get(0);
                folded[input] = uses[input] == 1 && isDoubling(graph, input);
            }
        }
        Rewriter rewriter = new Rewriter(graph);
        for (int i = 0; i < graph.nodes().size(); i++) {
            Node node = graph.node(i);
            if (folded[i]) {
                continue;
            }
            if (node.op() instanceof Op.Conv2d && folded[node.inputs().get(0)]) {
                List<Integer> smaller = graph.node(node.inputs().get(0)).inputs();
                node = new Node(node.name(), new Op.Conv2d(3, 1, 1, 1, true), smaller, node.weights(), node.postOps(), node.shape());
            }
            rewriter.put(i, node);
        }
        return rewriter.build();
    }

    private static boolean isDoubling(Graph graph, int index) {
        Node node = graph.node(index);
        if (!(node.op() instanceof Op.UpsampleNearest) || !node.postOps().isEmpty()) {
            return false;
        }
        Shape from = graph.shapeOf(node.inputs().get(0));
        return node.shape().height() == 2 * from.height() && node.shape().width() == 2 * from.width();
    }

    /** Hangs elementwise nodes onto the producer whose only reader they are. */
    static Graph foldPostOps(Graph graph) {
        int[] uses = uses(graph);
        int[] roots = IntStream.range(0, uses.length).toArray();
        Rewriter rewriter = new Rewriter(graph);
        for (int i = 0; i < graph.nodes().size(); i++) {
            Node node = graph.node(i);
            PostOp folded = null;
            int producer = -1;
            if (node.op() instanceof Op.Activation activation && canTake(graph, node.inputs().get(0), roots, uses, true)) {
                producer = node.inputs().get(0);
                folded = PostOp.of(activation.kind());
            } else if (node.op() instanceof Op.AddPerChannel && canTake(graph, node.inputs().get(0), roots, uses, false)) {
                producer = node.inputs().get(0);
                folded = new PostOp(PostOp.Kind.ADD_PER_CHANNEL, node.inputs().get(1));
            } else if (node.op() instanceof Op.Add) {
                // The later of the two has the other's result at hand.
                int later = Math.max(node.inputs().get(0), node.inputs().get(1));
                int earlier = Math.min(node.inputs().get(0), node.inputs().get(1));
                if (later != earlier && canTake(graph, later, roots, uses, false)) {
                    producer = later;
                    folded = new PostOp(PostOp.Kind.ADD, earlier);
                }
            }
            if (folded != null && rewriter.append(producer, folded, i)) {
                roots[i] = roots[producer];
            } else {
                rewriter.put(i, node);
            }
        }
        return rewriter.build();
    }

    /** @param roots of what has been hung onto another node: that node */
    private static boolean canTake(Graph graph, int producer, int[] roots, int[] uses, boolean activation) {
        Op op = graph.node(roots[producer]).op();
        boolean matrix = op instanceof Op.Conv2d || op instanceof Op.Linear;
        // A sum behind a normalisation is left alone: no network here has one.
        return uses[producer] == 1 && (matrix || activation && op instanceof Op.GroupNorm);
    }

    private static int[] uses(Graph graph) {
        int[] uses = new int[graph.nodes().size()];
        graph.nodes().forEach(node -> node.reads().forEach(read -> uses[read]++));
        graph.outputs().values().forEach(output -> uses[output]++);
        return uses;
    }

    /** Builds the new list while keeping track of where each old node's result is found. */
    private static final class Rewriter {
        private final Graph old;
        private final List<Node> nodes = new ArrayList<>();
        private final int[] placeOf;

        Rewriter(Graph old) {
            this.old = old;
            placeOf = new int[old.nodes().size()];
            Arrays.fill(placeOf, -1);
        }

        void put(int oldIndex, Node node) {
            placeOf[oldIndex] = nodes.size();
            nodes.add(moved(node));
        }

        /** Adds a post-op to the producer's node, which then also stands for the old node; false if its operand comes later. */
        boolean append(int producer, PostOp postOp, int oldIndex) {
            int place = placeOf[producer];
            int operand = postOp.input() < 0 ? -1 : placeOf[postOp.input()];
            if (operand >= place) {
                return false;
            }
            Node node = nodes.get(place);
            List<PostOp> postOps = new ArrayList<>(node.postOps());
            postOps.add(new PostOp(postOp.kind(), operand));
            nodes.set(place, new Node(node.name(), node.op(), node.inputs(), node.weights(), postOps, node.shape()));
            placeOf[oldIndex] = place;
            return true;
        }

        private Node moved(Node node) {
            List<Integer> inputs = node.inputs().stream().map(input -> placeOf[input]).toList();
            List<PostOp> postOps = node.postOps().stream()
                    .map(p -> p.kind().hasInput() ? new PostOp(p.kind(), placeOf[p.input()]) : p)
                    .toList();
            return new Node(node.name(), node.op(), inputs, node.weights(), postOps, node.shape());
        }

        Graph build() {
            Map<String, Integer> inputs = new HashMap<>();
            old.inputs().forEach((name, node) -> inputs.put(name, placeOf[node]));
            Map<String, Integer> outputs = new HashMap<>();
            old.outputs().forEach((name, node) -> outputs.put(name, placeOf[node]));
            return new Graph(nodes, inputs, outputs);
        }
    }
}
