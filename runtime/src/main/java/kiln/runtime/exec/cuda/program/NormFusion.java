package kiln.runtime.exec.cuda.program;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import kiln.kernels.op.Epilogue;
import kiln.kernels.op.GroupNormStatistics;
import kiln.kernels.op.OnLoad;
import kiln.runtime.exec.cuda.library.DeviceLibraries;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.Node;
import kiln.runtime.graph.Op;
import kiln.runtime.graph.PostOp;

/**
 * What a graph's group norms leave to their neighbours, and the products that do it. Immutable.
 *
 * <p>The node whose result a norm reads leaves that result's statistics: in its epilogue where its kernel can, else by a launch behind it.
 * Two maps that are concatenated have theirs each. The product that reads the norm applies it to what it loads, where its kernel can; such a
 * norm's own result are factors for each channel.
 */
final class NormFusion {
    /** Positions whose statistics are taken together where no epilogue says otherwise. */
    private static final int SLICE = 64;

    private final Graph graph;
    private final DeviceTarget target;
    /** By norm: the product that may apply it to what it reads; −1 for none. */
    private final int[] readers;

    /** By node: the last norm that needs its statistics; −1 for none. */
    private final int[] lastNorms;

    private final RowProduct[] products;
    /** By node: the library's product, where one computes it. */
    private final Map<Integer, LibraryLowering.Product> libraryProducts = new HashMap<>();

    NormFusion(Graph graph, DeviceTarget target, DeviceLibraries libraries) {
        this.graph = graph;
        this.target = target;
        int count = graph.nodes().size();
        readers = new int[count];
        lastNorms = new int[count];
        Arrays.fill(readers, -1);
        Arrays.fill(lastNorms, -1);
        for (int i = 0; i < count; i++) {
            if (graph.node(i).op() instanceof Op.GroupNorm) {
                readers[i] = onlyReader(i);
                for (int source : sources(i)) {
                    lastNorms[source] = i;
                }
            }
        }
        products = new RowProduct[count];
        for (int i = 0; i < count; i++) {
            if (ProductLowering.isProduct(graph.node(i).op())) {
                int index = i;
                LibraryLowering.of(graph, i, target, libraries).ifPresent(library -> libraryProducts.put(index, library));
                products[i] = choose(i);
            }
        }
    }

    private RowProduct choose(int index) {
        Node node = graph.node(index);
        Epilogue epilogue = ProductLowering.epilogue(node);
        if (libraryProducts.containsKey(index)) {
            return ProductLowering.choose(graph, index, target, epilogue, OnLoad.NOTHING);
        }
        if (lastNorms[index] >= 0) {
            List<Epilogue.Step> steps = new ArrayList<>(epilogue.steps());
            steps.add(Epilogue.Step.STATISTICS);
            epilogue = new Epilogue(epilogue.bias(), epilogue.geglu(), steps);
        }
        int norm = node.inputs().get(0);
        OnLoad wanted = readers[norm] != index ? OnLoad.NOTHING : hasSilu(graph.node(norm)) ? OnLoad.AFFINE_SILU : OnLoad.AFFINE;
        return ProductLowering.choose(graph, index, target, epilogue, wanted);
    }

    /** The product that alone wants a norm, as what it multiplies. */
    private int onlyReader(int norm) {
        Node node = graph.node(norm);
        if (node.postOps().size() != (hasSilu(node) ? 1 : 0) || graph.outputs().containsValue(norm)) {
            return -1;
        }
        int only = -1;
        for (int i = norm + 1; i < graph.nodes().size(); i++) {
            long reads = graph.node(i).reads().filter(read -> read == norm).count();
            if (reads > 1 || reads == 1 && only >= 0) {
                return -1;
            }
            only = reads == 1 ? i : only;
        }
        boolean multiplies = only >= 0 && ProductLowering.isProduct(graph.node(only).op()) && graph.node(only).inputs().get(0) == norm;
        return multiplies ? only : -1;
    }

    static boolean hasSilu(Node norm) {
        return !norm.postOps().isEmpty() && norm.postOps().get(0).kind() == PostOp.Kind.SILU;
    }

    /** The one product that reads a norm and could apply it, on load or before; −1 for none. */
    int reader(int norm) {
        return readers[norm];
    }

    /** Whether the norm's reader applies it as it loads. */
    boolean isAppliedOnLoad(int norm) {
        return readers[norm] >= 0 && products[readers[norm]].onLoad() != OnLoad.NOTHING;
    }

    /** How a library computes a product, all rows at once; empty where Kiln's own kernels do. */
    Optional<LibraryLowering.Product> library(int index) {
        return Optional.ofNullable(libraryProducts.get(index));
    }

    /** How Kiln's own kernels compute a product, in bands at least. */
    RowProduct product(int index) {
        return products[index];
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

    boolean hasStatistics(int node) {
        return lastNorms[node] >= 0;
    }

    /** Whether a node's own kernels leave its statistics. */
    boolean isInEpilogue(int node) {
        return products[node] != null && products[node].statisticsSlice() > 0;
    }

    /** Positions that a node's statistics are of. */
    int slice(int node) {
        return isInEpilogue(node) ? products[node].statisticsSlice() : SLICE;
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
        int own = products[node] == null ? 1 : products[node].bandRowsMultiple();
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
