package kiln.runtime.exec.cuda;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntToLongFunction;
import kiln.kernels.op.Convolution;
import kiln.kernels.op.ConvolutionPlan;
import kiln.kernels.op.Epilogue;
import kiln.kernels.op.MultiplyPlan;
import kiln.runtime.graph.Node;
import kiln.runtime.graph.Op;
import kiln.runtime.graph.PostOp;
import kiln.runtime.graph.Shape;

/** Convolutions and linear layers, with all that follows in their epilogues. */
final class ProductLowering {
    private ProductLowering() {}

    /** Whether it is a product over a map. */
    static boolean isProduct(Op op) {
        return op instanceof Op.Conv2d || op instanceof Op.Linear || op instanceof Op.LinearGeglu;
    }

    /** All rows at once. */
    static void product(ProgramBuilder p, int index) {
        if (LibraryLowering.product(p, index)) {
            return;
        }
        Node node = p.graph.node(index);
        int height = node.shape().height();
        RowProduct product = of(p, index);
        product.calls(
                        new Convolution.Band(0, height, 0, p.graph.shapeOf(node.inputs().get(0)).height()),
                        p.result(node.inputs().get(0)),
                        p.result(index),
                        inputs(p, index, p::result))
                .forEach(p::add);
    }

    /** Takes the work memory that the product needs. */
    static RowProduct of(ProgramBuilder p, int index) {
        Op op = p.graph.node(index).op();
        boolean window = op instanceof Op.Conv2d convolution && !isPointwise(convolution);
        return window ? convolution(p, index, (Op.Conv2d) op) : matrix(p, index, layout(op));
    }

    /** Of the parameters of a product of positions. */
    static DeviceWeight.Layout layout(Op op) {
        return op instanceof Op.LinearGeglu ? DeviceWeight.Layout.GEGLU : DeviceWeight.Layout.PLAIN;
    }

    /** Whether it is a product of positions, as a linear layer's. */
    static boolean isPointwise(Op.Conv2d op) {
        return op.kernel() == 1 && op.stride() == 1 && op.padBefore() == 0 && op.padAfter() == 0;
    }

    private static RowProduct convolution(ProgramBuilder p, int index, Op.Conv2d op) {
        Node node = p.graph.node(index);
        Shape in = p.graph.shapeOf(node.inputs().get(0));
        Shape out = node.shape();
        Convolution.Shape shape =
                new Convolution.Shape(out.batch(), in.height(), in.width(), in.channels(), out.height(), out.width(), out.channels());
        DeviceWeight weight = DeviceWeight.matrix(node.weights().get(0), DeviceWeight.Layout.CONVOLUTION, p.target);
        ConvolutionPlan plan = ConvolutionPlan.choose(
                p.type(),
                weight.stored(),
                p.target.card(),
                shape,
                epilogue(node),
                op.kernel(),
                op.stride(),
                op.padBefore(),
                op.upsample());
        long weights = p.weight(weight);
        return new RowProduct.OfWindows(plan, weights, weights + weight.scalesOffset(), p.work(plan.workBytes()), bias(p, node, DeviceWeight.Layout.PLAIN));
    }

    private static RowProduct matrix(ProgramBuilder p, int index, DeviceWeight.Layout layout) {
        Node node = p.graph.node(index);
        DeviceWeight weight = DeviceWeight.matrix(node.weights().get(0), layout, p.target);
        int rows = node.shape().rows();
        int columns = weight.rows();
        int channels = p.graph.shapeOf(node.inputs().get(0)).channels();
        int outStride = node.shape().channels();
        Epilogue epilogue = epilogue(node);
        MultiplyPlan plan = MultiplyPlan.choose(
                p.type(), weight.stored(), p.target.card(), rows, columns, channels, channels, outStride, 1, epilogue);
        long weights = p.weight(weight);
        return new RowProduct.OfPositions(
                plan, rows / node.shape().height(), weights, weights + weight.scalesOffset(), p.work(plan.workBytes()), bias(p, node, layout));
    }

    /** @param layout that the bias shares with the weights that it belongs to */
    static long bias(ProgramBuilder p, Node node, DeviceWeight.Layout layout) {
        return node.weights().size() > 1 ? p.weight(new DeviceWeight(node.weights().get(1), layout, p.type())) : 0;
    }

    static Epilogue epilogue(Node node) {
        List<Epilogue.Step> steps = node.postOps().stream()
                .map(postOp -> switch (postOp.kind()) {
                    case SILU -> Epilogue.Step.SILU;
                    case GELU -> Epilogue.Step.GELU;
                    case QUICK_GELU -> Epilogue.Step.QUICK_GELU;
                    case ADD -> Epilogue.Step.ADD;
                    case ADD_PER_CHANNEL -> Epilogue.Step.ADD_PER_CHANNEL;
                })
                .toList();
        return new Epilogue(node.weights().size() > 1, node.op() instanceof Op.LinearGeglu, steps);
    }

    /**
     * What the epilogue adds.
     *
     * @param places of the rows to be added, by the node whose result they are
     */
    static List<Epilogue.Input> inputs(ProgramBuilder p, int index, IntToLongFunction places) {
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
