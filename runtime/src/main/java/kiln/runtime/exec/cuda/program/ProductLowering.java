package kiln.runtime.exec.cuda.program;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.IntToLongFunction;
import kiln.kernels.op.product.Convolution;
import kiln.kernels.op.product.ConvolutionPlan;
import kiln.kernels.op.product.Epilogue;
import kiln.kernels.op.product.MatrixMultiply;
import kiln.kernels.op.product.MultiplyPlan;
import kiln.kernels.op.product.OnLoad;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.Node;
import kiln.runtime.graph.Op;
import kiln.runtime.graph.PostOp;
import kiln.runtime.graph.Shape;

/** Convolutions and linear layers, with all that follows in their epilogues. */
public final class ProductLowering {
    private ProductLowering() {}

    /** Whether it is a product over a map. */
    static boolean isProduct(Op op) {
        return op instanceof Op.Conv2d || op instanceof Op.Linear || op instanceof Op.LinearGeglu;
    }

    /** All rows at once. */
    static void product(ProgramBuilder p, int index) {
        Optional<LibraryLowering.Product> library = p.products.library(index);
        if (library.isPresent()) {
            library.get().lower(p, index);
            return;
        }
        Node node = p.graph.node(index);
        int height = node.shape().height();
        int source = p.bands.sourceOf(index);
        p.products.own(index)
                .calls(
                        operands(p, index),
                        new Convolution.Band(0, height, 0, p.graph.shapeOf(source).height()),
                        p.result(source),
                        p.result(index),
                        inputs(p, index, 0, p::result))
                .forEach(p::add);
    }

    /** Names the parameters, and takes the work memory that the product needs. */
    static RowProduct.Operands operands(ProgramBuilder p, int index) {
        Node node = p.graph.node(index);
        RowProduct product = p.products.own(index);
        DeviceWeight.Layout layout = layout(node.op());
        DeviceWeight weight = DeviceWeight.matrix(node.weights().get(0), layout, p.target);
        long weights = p.weight(weight);
        long factors = product.onLoad() == OnLoad.NOTHING ? 0 : p.result(p.bands.normOf(index));
        return new RowProduct.Operands(weights, weights + weight.scalesOffset(), p.work(product.workBytes()), bias(p, node, layout), factors);
    }

    /** The kernels for a product. */
    static RowProduct choose(Graph graph, int index, DeviceTarget target, Epilogue epilogue, OnLoad onLoad) {
        Node node = graph.node(index);
        DeviceWeight weight = DeviceWeight.matrix(node.weights().get(0), layout(node.op()), target);
        Shape in = graph.shapeOf(node.inputs().get(0));
        Shape out = node.shape();
        if (node.op() instanceof Op.Conv2d op && !isPointwise(op)) {
            Convolution.Shape shape =
                    new Convolution.Shape(out.batch(), in.height(), in.width(), in.channels(), out.height(), out.width(), out.channels());
            return new RowProduct.OfWindows(ConvolutionPlan.choose(
                    target.type(),
                    weight.stored(),
                    target.card(),
                    shape,
                    new Convolution.Window(op.kernel(), op.stride(), op.padBefore(), op.upsample()),
                    epilogue,
                    onLoad));
        }
        MultiplyPlan plan = MultiplyPlan.choose(
                target.type(),
                weight.stored(),
                target.card(),
                new MatrixMultiply.Sizes(out.rows(), weight.rows(), in.channels(), in.channels(), out.channels()),
                1,
                epilogue,
                out.positions(),
                onLoad);
        return new RowProduct.OfPositions(plan, out.positions(), out.rows() / out.height());
    }

    /** Of a product's matrix of parameters. */
    static DeviceWeight.Layout layout(Op op) {
        if (op instanceof Op.Conv2d convolution && !isPointwise(convolution)) {
            return convolution.upsample() ? DeviceWeight.Layout.DOUBLING : DeviceWeight.Layout.CONVOLUTION;
        }
        return op instanceof Op.LinearGeglu ? DeviceWeight.Layout.GEGLU : DeviceWeight.Layout.PLAIN;
    }

    /** Whether it is a product of positions, as a linear layer's. */
    static boolean isPointwise(Op.Conv2d op) {
        return op.kernel() == 1 && op.stride() == 1 && op.padBefore() == 0 && op.padAfter() == 0;
    }

    /** @param layout that a GEGLU's bias shares with the weights that it belongs to */
    static long bias(ProgramBuilder p, Node node, DeviceWeight.Layout layout) {
        if (node.weights().size() < 2) {
            return 0;
        }
        DeviceWeight.Layout order = layout == DeviceWeight.Layout.GEGLU ? layout : DeviceWeight.Layout.PLAIN;
        return p.weight(new DeviceWeight(node.weights().get(1), order, p.type()));
    }

    public static Epilogue epilogue(Node node) {
        List<Epilogue.Step> steps = node.postOps().stream()
                .map(postOp -> switch (postOp.kind()) {
                    case SILU -> Epilogue.Step.SILU;
                    case GELU -> Epilogue.Step.GELU;
                    case QUICK_GELU -> Epilogue.Step.QUICK_GELU;
                    case RELU -> Epilogue.Step.RELU;
                    case LEAKY_RELU -> Epilogue.Step.LEAKY_RELU;
                    case FIFTH -> Epilogue.Step.FIFTH;
                    case ADD -> Epilogue.Step.ADD;
                    case ADD_PER_CHANNEL -> Epilogue.Step.ADD_PER_CHANNEL;
                })
                .toList();
        return new Epilogue(node.weights().size() > 1, node.op() instanceof Op.LinearGeglu, steps);
    }

    /**
     * What the epilogue of Kiln's own kernels adds, and where it leaves statistics.
     *
     * @param firstRow of the band
     * @param places of the rows to be added, by the node whose result they are
     */
    static List<Epilogue.Input> inputs(ProgramBuilder p, int index, int firstRow, IntToLongFunction places) {
        List<Epilogue.Input> inputs = added(p, index, places);
        if (p.norms.isInEpilogue(index)) {
            inputs.add(new Epilogue.Input(p.statistics(index, firstRow), 0));
        }
        return inputs;
    }

    /** What the node's epilogue adds. */
    static List<Epilogue.Input> added(ProgramBuilder p, int index, IntToLongFunction places) {
        Node node = p.graph.node(index);
        List<Epilogue.Input> inputs = new ArrayList<>();
        for (PostOp postOp : node.postOps()) {
            if (postOp.kind() == PostOp.Kind.ADD) {
                inputs.add(new Epilogue.Input(places.applyAsLong(postOp.input()), node.shape().channels()));
            } else if (postOp.kind() == PostOp.Kind.ADD_PER_CHANNEL) {
                boolean shared = p.graph.shapeOf(postOp.input()).batch() == 1;
                inputs.add(new Epilogue.Input(p.result(postOp.input()), shared ? node.shape().rows() : node.shape().positions()));
            }
        }
        return inputs;
    }
}
