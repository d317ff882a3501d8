package kiln.runtime.exec.cuda.program;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import kiln.kernels.op.product.Epilogue;
import kiln.kernels.op.product.OnLoad;
import kiln.runtime.exec.cuda.library.DeviceLibraries;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.Node;

/**
 * What computes each product of a graph: Kiln's own kernels, with as much of the group norms beside it as they can do, or a library.
 * Immutable.
 */
final class ProductChoice {
    private final RowProduct[] products;
    /** By node: the library's product, where one computes it. */
    private final Map<Integer, LibraryLowering.Product> libraryProducts = new HashMap<>();

    /** @param libraries that may compute products */
    ProductChoice(Graph graph, DeviceTarget target, DeviceLibraries libraries, NormNeighbours norms) {
        products = new RowProduct[graph.nodes().size()];
        for (int i = 0; i < products.length; i++) {
            if (ProductLowering.isProduct(graph.node(i).op())) {
                int index = i;
                LibraryLowering.of(graph, i, target, libraries).ifPresent(library -> libraryProducts.put(index, library));
                products[i] = own(graph, i, target, norms);
            }
        }
    }

    private RowProduct own(Graph graph, int index, DeviceTarget target, NormNeighbours norms) {
        Node node = graph.node(index);
        Epilogue epilogue = ProductLowering.epilogue(node);
        if (libraryProducts.containsKey(index)) {
            return ProductLowering.choose(graph, index, target, epilogue, OnLoad.NOTHING);
        }
        if (norms.lastNorm(index) >= 0) {
            List<Epilogue.Step> steps = new ArrayList<>(epilogue.steps());
            steps.add(Epilogue.Step.STATISTICS);
            epilogue = new Epilogue(epilogue.bias(), epilogue.geglu(), steps);
        }
        int norm = node.inputs().get(0);
        OnLoad wanted = OnLoad.NOTHING;
        if (norms.reader(norm) == index) {
            wanted = NormNeighbours.hasSilu(graph.node(norm)) ? OnLoad.AFFINE_SILU : OnLoad.AFFINE;
        }
        return ProductLowering.choose(graph, index, target, epilogue, wanted);
    }

    /** How a library computes a product, all rows at once; empty where Kiln's own kernels do. */
    Optional<LibraryLowering.Product> library(int index) {
        return Optional.ofNullable(libraryProducts.get(index));
    }

    /** How Kiln's own kernels compute a product, in bands at least. */
    RowProduct own(int index) {
        return products[index];
    }

    /** Of how many positions the statistics are that a node's own kernels leave; 0 when they leave none, as what is no product does. */
    int statisticsSlice(int node) {
        return products[node] == null ? 0 : products[node].statisticsSlice();
    }

    /** What the rows of a band of a node's result must be a multiple of for its own kernels. */
    int bandRowsMultiple(int node) {
        return products[node] == null ? 1 : products[node].bandRowsMultiple();
    }
}
