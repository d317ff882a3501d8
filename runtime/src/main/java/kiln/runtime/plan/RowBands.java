package kiln.runtime.plan;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.Node;
import kiln.runtime.graph.Op;
import kiln.runtime.graph.PostOp;
import kiln.runtime.graph.Shape;

/**
 * Where results lie in one arena, and which of them are computed some rows at a time so that fewer whole maps are in it at once. Immutable.
 *
 * <p>Of one picture, a group norm keeps no map: its statistics become a factor and an addend for each channel, which the product behind it
 * applies to the rows that it is about to read. A sum takes the place of the map that it adds to, and a shortcut that makes a map no wider
 * than its own takes its place. Each element is computed as in the whole. What is left are the maps that statistics are taken of.
 */
public final class RowBands {
    /** Lower bands are avoided: a 3×3 window reads two rows more than it gives. */
    private static final int FEWEST_ROWS = 16;
    /** A band's rows that are read, or made, together: some caches' worth. */
    public static final long BAND_BYTES = 8 << 20;

    private final Graph graph;
    private final IntUnaryOperator elementBytes;
    private final boolean[] applied;
    private final int[] norms;
    /** By node: the one in whose place it lies, itself for most. */
    private final int[] places;
    private final int[] rows;
    private final MemoryPlan memory;

    private RowBands(Graph graph, IntUnaryOperator elementBytes, long bandBytes) {
        this.graph = graph;
        this.elementBytes = elementBytes;
        int count = graph.nodes().size();
        applied = new boolean[count];
        norms = new int[count];
        Arrays.fill(norms, -1);
        rows = new int[count];
        places = new int[count];
        int[] readers = onlyReaders(graph);
        List<Node> reading = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Node node = graph.node(i);
            int read = node.inputs().isEmpty() ? -1 : node.inputs().get(0);
            if (takesRows(node) && graph.node(read).op() instanceof Op.GroupNorm && readers[read] == i) {
                applied[read] = true;
                norms[i] = read;
                // Its input must live until the product has read it, and so must its factors.
                node = withInputs(node, List.of(graph.node(read).inputs().get(0), read), node.postOps());
            }
            reading.add(node);
        }
        Graph lives = new Graph(reading, graph.inputs(), graph.outputs());
        MemoryPlan apart = MemoryPlan.of(lives, elementBytes);
        for (int i = 0; i < count; i++) {
            places[i] = placeOf(i, apart);
            rows[i] = hasBands(graph.node(i)) ? bandRows(i, bandBytes) : graph.shapeOf(i).height();
        }
        memory = MemoryPlan.of(inPlaces(lives), this::resultBytes, List.of());
    }

    /**
     * @param fused as an executor runs it
     * @param elementBytes makes, for a graph, the bytes of an element of each node's result
     * @param bandBytes what a band's rows should take, {@link #BAND_BYTES} as a rule
     */
    public static RowBands of(Graph fused, Function<Graph, IntUnaryOperator> elementBytes, long bandBytes) {
        Graph ordered = withLateShortcuts(fused);
        return new RowBands(ordered, elementBytes.apply(ordered), bandBytes);
    }

    /** Puts linear layers that are only added to a later result right before it: their own results need not lie beside what comes between. */
    private static Graph withLateShortcuts(Graph graph) {
        int count = graph.nodes().size();
        int[] readers = onlyReaders(graph);
        List<List<Integer>> before = new ArrayList<>();
        boolean[] moved = new boolean[count];
        for (int i = 0; i < count; i++) {
            before.add(new ArrayList<>());
        }
        for (int i = count - 1; i >= 0; i--) {
            boolean isAddedOnly = readers[i] >= 0 && !moved[readers[i]] && !graph.node(readers[i]).inputs().contains(i);
            if (graph.node(i).op() instanceof Op.Linear && isAddedOnly && hasBands(graph.node(readers[i]))) {
                moved[i] = true;
                before.get(readers[i]).add(0, i);
            }
        }
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            if (!moved[i]) {
                order.addAll(before.get(i));
                order.add(i);
            }
        }
        return inOrder(graph, order);
    }

    private static Graph inOrder(Graph graph, List<Integer> order) {
        int[] placeOf = new int[order.size()];
        for (int i = 0; i < placeOf.length; i++) {
            placeOf[order.get(i)] = i;
        }
        return new Graph(order.stream().map(i -> renumbered(graph.node(i), placeOf)).toList(), renumbered(graph.inputs(), placeOf),
                renumbered(graph.outputs(), placeOf));
    }

    private static Node renumbered(Node node, int[] numbers) {
        List<PostOp> postOps = node.postOps().stream()
                .map(postOp -> postOp.kind().hasInput() ? new PostOp(postOp.kind(), numbers[postOp.input()]) : postOp)
                .toList();
        return withInputs(node, node.inputs().stream().map(input -> numbers[input]).toList(), postOps);
    }

    private static Map<String, Integer> renumbered(Map<String, Integer> nodes, int[] numbers) {
        Map<String, Integer> result = new HashMap<>();
        nodes.forEach((name, node) -> result.put(name, numbers[node]));
        return result;
    }

    private static Node withInputs(Node node, List<Integer> inputs, List<PostOp> postOps) {
        return new Node(node.name(), node.op(), inputs, node.weights(), postOps, node.shape());
    }

    /** By node: the one that reads it, if only one does and does so once; −1 for others. */
    private static int[] onlyReaders(Graph graph) {
        int[] readers = new int[graph.nodes().size()];
        int[] reads = new int[readers.length];
        Arrays.fill(readers, -1);
        for (int i = 0; i < readers.length; i++) {
            int reader = i;
            graph.node(i).reads().forEach(read -> {
                readers[read] = reads[read]++ == 0 ? reader : -1;
            });
        }
        graph.outputs().values().forEach(output -> readers[output] = -1);
        return readers;
    }

    /** Whether bands of rows of its result can be computed: of one picture. */
    private static boolean hasBands(Node node) {
        return (node.op() instanceof Op.Conv2d || node.op() instanceof Op.Linear) && node.shape().batch() == 1;
    }

    /** Whether a band reads and adds nothing but its own rows, those of its window included: one that doubles its map does so in four parts. */
    private static boolean takesRows(Node node) {
        return hasBands(node) && !(node.op() instanceof Op.Conv2d convolution && convolution.upsample());
    }

    private int placeOf(int node, MemoryPlan apart) {
        if (!takesRows(graph.node(node))) {
            return node;
        }
        for (PostOp postOp : graph.node(node).postOps()) {
            int added = postOp.input();
            if (postOp.kind() == PostOp.Kind.ADD && isLastRead(added, node, apart) && sourceOf(node) != added
                    && rowBytes(added) == rowBytes(node)) {
                return places[added];
            }
        }
        int source = sourceOf(node);
        boolean readsRowForRow = graph.node(node).op() instanceof Op.Linear && graph.node(node).reads().filter(read -> read == source).count() == 1;
        return readsRowForRow && norms[node] < 0 && isLastRead(source, node, apart) && rowBytes(node) <= rowBytes(source) ? places[source] : node;
    }

    private boolean isLastRead(int read, int reader, MemoryPlan apart) {
        return apart.lastUse(read) == reader && !(graph.node(read).op() instanceof Op.Input);
    }

    private Graph inPlaces(Graph lives) {
        List<Node> nodes = lives.nodes().stream().map(node -> renumbered(node, places)).toList();
        return new Graph(nodes, lives.inputs(), renumbered(lives.outputs(), places));
    }

    private long resultBytes(int node) {
        if (applied[node]) {
            return 2L * graph.shapeOf(node).channels() * Float.BYTES;
        }
        return places[node] == node ? Math.multiplyExact(graph.shapeOf(node).elements(), elementBytes.applyAsInt(node)) : 0;
    }

    /** Of about the same height each, and even where rows come in twos. */
    private int bandRows(int node, long bandBytes) {
        Shape source = graph.shapeOf(sourceOf(node));
        int height = graph.shapeOf(node).height();
        // What is read for a row of the result lies in as many rows as there are in the whole for one.
        long readBytes = Math.max(1, rowBytes(sourceOf(node)) * source.height() / height);
        long most = Math.max(FEWEST_ROWS, bandBytes / Math.max(readBytes, rowBytes(node)));
        if (height <= most) {
            return height;
        }
        int bands = (int) ((height + most - 1) / most);
        int even = (height + bands - 1) / bands;
        return graph.node(node).op() instanceof Op.Conv2d convolution && convolution.upsample() ? even + even % 2 : even;
    }

    private long rowBytes(int node) {
        Shape shape = graph.shapeOf(node);
        return (long) shape.width() * shape.channels() * elementBytes.applyAsInt(node);
    }

    /** The fused graph, some nodes of which may stand later than before. */
    public Graph graph() {
        return graph;
    }

    /** Whether a norm keeps a factor and then an addend for each channel, in 32 bits, which the one product that reads it applies. */
    public boolean isApplied(int norm) {
        return applied[norm];
    }

    /** The norm that a product applies to what it reads; −1 for none. */
    public int normOf(int product) {
        return norms[product];
    }

    /** The result that a product reads, before any norm. */
    public int sourceOf(int product) {
        return graph.node(norms[product] < 0 ? product : norms[product]).inputs().get(0);
    }

    /** How many rows of a node's result are computed together; all, the last band's excepted, have as many. */
    public int rows(int node) {
        return rows[node];
    }

    /** Whether it lies where something that it reads lies: a band is written there when it is done. */
    public boolean isInPlace(int node) {
        return places[node] != node;
    }

    /** Where a node's result lies, or a norm's factors. */
    public long offset(int node) {
        return memory.offset(places[node]);
    }

    public long arenaBytes() {
        return memory.arenaBytes();
    }

    /** Whether a node's result is computed in more bands than one. */
    public boolean isInBands(int node) {
        return rows[node] < graph.shapeOf(node).height();
    }

    /** In how many bands the result is computed that takes most of them. */
    public int most() {
        return IntStream.range(0, rows.length).map(i -> (graph.shapeOf(i).height() + rows[i] - 1) / rows[i]).max().orElse(1);
    }
}
