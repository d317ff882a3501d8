package kiln.runtime.exec.cuda.program;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.IntPredicate;
import kiln.kernels.DataType;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.Node;
import kiln.runtime.graph.Op;
import kiln.runtime.graph.PostOp;
import kiln.runtime.graph.Shape;
import kiln.runtime.plan.MemoryPlan;

/**
 * Which results of a graph lie in host memory because the device has too little, and how many rows of them are computed at a time.
 *
 * <p>Results larger than a threshold go to the host, as far as only products and group norms touch them: those know how to work on a band of
 * rows. Such a norm's own result are its factors, and its product applies it to the rows that it reads.
 */
final class BandPlan {
    /** Lower bands are avoided: a 3×3 window reads two rows more than it gives. */
    private static final int FEWEST_ROWS = 16;
    /** Kernels count elements in 32 bits. */
    private static final long MOST_ELEMENTS = Integer.MAX_VALUE;

    private final Graph graph;
    private final DataType type;
    private final NormFusion fusion;
    private final boolean[] host;
    /** By product: the norm that it applies to what it reads; −1 for none. */
    private final int[] norms;

    private final boolean[] applied;
    private final int[] rows;
    /** By node: its number among what has places besides the results. */
    private final int[] statistics;
    private final MemoryPlan devicePlan;
    private final MemoryPlan hostPlan;

    private BandPlan(Graph graph, DataType type, NormFusion fusion, IntPredicate isOnHost, IntPredicate isApplied) {
        this.graph = graph;
        this.type = type;
        this.fusion = fusion;
        int count = graph.nodes().size();
        host = new boolean[count];
        norms = new int[count];
        applied = new boolean[count];
        rows = new int[count];
        statistics = new int[count];
        Arrays.fill(norms, -1);
        List<Node> reading = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Node node = graph.node(i);
            host[i] = isOnHost.test(i);
            applied[i] = isApplied.test(i);
            if (!node.inputs().isEmpty() && applied[node.inputs().get(0)]) {
                norms[i] = node.inputs().get(0);
                // Its input must live until the product has read it, and so must its factors.
                List<Integer> inputs = List.of(graph.node(norms[i]).inputs().get(0), norms[i]);
                node = new Node(node.name(), node.op(), inputs, node.weights(), node.postOps(), node.shape());
            }
            reading.add(node);
        }
        Graph lives = new Graph(reading, graph.inputs(), graph.outputs());
        List<MemoryPlan.Beside> besides = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            statistics[i] = besides.size();
            if (fusion.hasStatistics(i)) {
                besides.add(new MemoryPlan.Beside(fusion.statisticsBytes(i), i, fusion.lastNorm(i)));
            }
        }
        devicePlan = MemoryPlan.of(lives, this::deviceBytes, besides);
        hostPlan = MemoryPlan.of(lives, i -> host[i] ? elementBytes(i) : 0);
    }

    private long deviceBytes(int node) {
        if (applied[node]) {
            return fusion.factorBytes(node);
        }
        return host[node] ? 0 : Math.multiplyExact(graph.shapeOf(node).elements(), elementBytes(node));
    }

    private int elementBytes(int node) {
        return Lowering.typeOf(graph.node(node), type).bytes();
    }

    /** Everything on the device, except what is too large for any. */
    static BandPlan least(Graph graph, DataType type, NormFusion fusion) {
        BandPlan plan = largerThan(MOST_ELEMENTS, graph, type, fusion, canBeOnHost(graph, fusion));
        for (int i = 0; i < plan.rows.length; i++) {
            plan.rows[i] = plan.wholeBand(i, FEWEST_ROWS);
        }
        return plan;
    }

    /**
     * With an arena of no more than so many bytes, and as little on the host as that allows; with the smallest arena that there is where
     * none is small enough.
     *
     * @param whole the same graph with everything on the device, as far as that is possible
     */
    static BandPlan within(long limitBytes, ProgramBuilder whole) {
        List<BandPlan> all = all(whole);
        for (int fewest : new int[] {FEWEST_ROWS, 1}) {
            for (BandPlan plan : all) {
                if (plan.arenaBytes(whole, fewest) <= limitBytes) {
                    plan.chooseRows(limitBytes, whole);
                    return plan;
                }
            }
        }
        BandPlan smallest = smallest(all, whole, 1);
        smallest.chooseRows(0, whole);
        return smallest;
    }

    /** The smallest arena that bands of a reasonable height do with. */
    static long leastBytes(ProgramBuilder whole) {
        List<BandPlan> all = all(whole);
        return smallest(all, whole, FEWEST_ROWS).arenaBytes(whole, FEWEST_ROWS);
    }

    private static BandPlan smallest(List<BandPlan> all, ProgramBuilder whole, int fewest) {
        return all.stream().min(Comparator.comparingLong(plan -> plan.arenaBytes(whole, fewest))).orElseThrow();
    }

    /** By what is on the host, the least of it first. */
    private static List<BandPlan> all(ProgramBuilder whole) {
        Graph graph = whole.graph;
        boolean[] canBeOnHost = canBeOnHost(graph, whole.norms);
        List<Long> sizes = new ArrayList<>(List.of(0L));
        for (int i = 0; i < canBeOnHost.length; i++) {
            if (canBeOnHost[i] && graph.shapeOf(i).elements() <= MOST_ELEMENTS) {
                sizes.add(graph.shapeOf(i).elements());
            }
        }
        return sizes.stream()
                .distinct()
                .sorted(Comparator.reverseOrder())
                .map(most -> largerThan(most, graph, whole.type(), whole.norms, canBeOnHost))
                .toList();
    }

    private static BandPlan largerThan(long most, Graph graph, DataType type, NormFusion fusion, boolean[] canBeOnHost) {
        return new BandPlan(
                graph,
                type,
                fusion,
                i -> graph.shapeOf(i).elements() > most && canBeOnHost[i],
                i -> fusion.isAppliedOnLoad(i) || graph.shapeOf(i).elements() > most && hasReaderInBands(graph, fusion, i));
    }

    private static boolean[] canBeOnHost(Graph graph, NormFusion fusion) {
        boolean[] can = new boolean[graph.nodes().size()];
        for (int i = 0; i < can.length; i++) {
            can[i] = hasBands(graph.node(i));
        }
        for (int i = 0; i < can.length; i++) {
            Node reader = graph.node(i);
            boolean inBands = hasBands(reader) || hasReaderInBands(graph, fusion, i);
            reader.inputs().forEach(read -> can[read] &= inBands);
            for (PostOp postOp : reader.postOps()) {
                if (postOp.kind().hasInput()) {
                    can[postOp.input()] &= inBands && postOp.kind() == PostOp.Kind.ADD;
                }
            }
        }
        graph.outputs().values().forEach(output -> can[output] = false);
        return can;
    }

    /** Bands are of one picture. */
    private static boolean hasBands(Node node) {
        return ProductLowering.isProduct(node.op()) && node.shape().batch() == 1;
    }

    /** Whether it is a norm that a product can apply to the rows that it reads. */
    private static boolean hasReaderInBands(Graph graph, NormFusion fusion, int norm) {
        return fusion.reader(norm) >= 0 && hasBands(graph.node(fusion.reader(norm)));
    }

    /** Whether a result lies in host memory. */
    boolean isOnHost(int node) {
        return host[node];
    }

    /** Whether a norm is applied by its product, on load or before. */
    boolean isApplied(int node) {
        return applied[node];
    }

    /** The norm that a product applies to what it reads; −1 for none. */
    int normOf(int product) {
        return norms[product];
    }

    /** The result that a product reads, before any norm. */
    int sourceOf(int product) {
        return graph.node(norms[product] < 0 ? product : norms[product]).inputs().get(0);
    }

    /** Whether a product applies its norm to a band of rows before it reads them. */
    boolean appliesNormBefore(int product) {
        return norms[product] >= 0 && !fusion.isAppliedOnLoad(norms[product]);
    }

    /** Whether a node is computed band by band. */
    boolean isInBands(int node) {
        return ProductLowering.isProduct(graph.node(node).op())
                && (host[node] || appliesNormBefore(node) || host[sourceOf(node)] || graph.node(node).reads().anyMatch(this::isOnHost));
    }

    /** How many rows of a node's result make a band, the last one excepted. */
    int rows(int node) {
        return rows[node];
    }

    /** Where a node's statistics begin on the device. */
    long statisticsOffset(int node) {
        return devicePlan.besideOffset(statistics[node]);
    }

    /** Where results lie on the device. */
    MemoryPlan devicePlan() {
        return devicePlan;
    }

    /** Where a result lies in the block of pinned memory. */
    long hostOffset(int node) {
        return hostPlan.offset(node);
    }

    /** Of the block of pinned memory. */
    long hostBytes() {
        return hostPlan.arenaBytes();
    }

    private long arenaBytes(ProgramBuilder whole, int fewestRows) {
        long bytes = devicePlan.arenaBytes();
        for (int i = 0; i < rows.length; i++) {
            if (applied[i]) {
                continue;
            }
            long work = isInBands(i) ? workBytes(whole, i, Math.min(wholeBand(i, fewestRows), graph.shapeOf(i).height())) : whole.workBytes(i);
            if (work > 0) {
                bytes = Math.max(bytes, DeviceWeight.align(devicePlan.top(i)) + work);
            }
        }
        return DeviceWeight.align(bytes);
    }

    private long workBytes(ProgramBuilder whole, int node, int bandRows) {
        return whole.workBytes(node) + BandBuffers.of(this, whole, node, bandRows).bytes();
    }

    /** The most elements that a band touches in one map for each of its rows: it reads up to three rows for one that it makes. */
    private long elementsPerRow(int product) {
        Shape source = graph.shapeOf(sourceOf(product));
        Shape result = graph.shapeOf(product);
        return Math.max(3L * source.width() * source.channels(), (long) result.width() * result.channels());
    }

    /** So many rows or a few more, as its kernels can take them. */
    private int wholeBand(int node, int bandRows) {
        int multiple = fusion.bandRows(node);
        return (bandRows + multiple - 1) / multiple * multiple;
    }

    /** The highest bands for which there is room, all about the same. */
    private void chooseRows(long limitBytes, ProgramBuilder whole) {
        for (int i = 0; i < rows.length; i++) {
            if (!isInBands(i) || applied[i]) {
                continue;
            }
            long room = limitBytes - DeviceWeight.align(devicePlan.top(i));
            int height = graph.shapeOf(i).height();
            long most = MOST_ELEMENTS / elementsPerRow(i);
            if (height <= most && workBytes(whole, i, height) <= room) {
                rows[i] = height;
                continue;
            }
            int low = 1;
            int high = (int) Math.max(1, Math.min(height / 2, most));
            while (low < high) {
                int middle = (low + high + 1) / 2;
                if (workBytes(whole, i, middle) <= room) {
                    low = middle;
                } else {
                    high = middle - 1;
                }
            }
            int bands = (height + low - 1) / low;
            // No higher than what there is room for, unless the fewest rows of a band are.
            int even = wholeBand(i, (height + bands - 1) / bands);
            rows[i] = even <= low ? even : Math.max(low / fusion.bandRows(i), 1) * fusion.bandRows(i);
        }
    }
}
