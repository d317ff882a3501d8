package kiln.runtime.exec.cuda;

import java.util.ArrayList;
import java.util.List;
import kiln.kernels.op.Convolution;
import kiln.kernels.op.ConvolutionPlan;
import kiln.kernels.op.Epilogue;
import kiln.kernels.op.MatrixMultiply;
import kiln.kernels.op.MultiplyPlan;
import kiln.runtime.graph.Node;
import kiln.runtime.graph.Op;
import kiln.runtime.graph.PostOp;
import kiln.runtime.graph.Shape;

/** Convolutions and linear layers: one launch each, with all that follows in its epilogue. */
final class ProductLowering {
    private ProductLowering() {}

    static void convolution(ProgramBuilder p, int index, Op.Conv2d op) {
        Node node = p.graph.node(index);
        Shape in = p.graph.shapeOf(node.inputs().get(0));
        Shape out = node.shape();
        if (op.kernel() == 1 && op.stride() == 1 && op.padBefore() == 0 && op.padAfter() == 0) {
            matrix(p, index, DeviceWeight.Layout.PLAIN, epilogue(node, false));
            return;
        }
        Convolution.Shape shape =
                new Convolution.Shape(out.batch(), in.height(), in.width(), in.channels(), out.height(), out.width(), out.channels());
        DeviceWeight weight = DeviceWeight.matrix(node.weights().get(0), DeviceWeight.Layout.CONVOLUTION, p.target);
        ConvolutionPlan plan = ConvolutionPlan.choose(
                p.type(),
                weight.stored(),
                p.target.card(),
                shape,
                epilogue(node, false),
                op.kernel(),
                op.stride(),
                op.padBefore(),
                op.upsample());
        long weights = p.weight(weight);
        plan.calls(
                        p.result(node.inputs().get(0)),
                        weights,
                        weights + weight.scalesOffset(),
                        p.result(index),
                        p.work(plan.workBytes()),
                        bias(p, node),
                        inputs(p, node))
                .forEach(p::add);
    }

    static void linear(ProgramBuilder p, int index) {
        matrix(p, index, DeviceWeight.Layout.PLAIN, epilogue(p.graph.node(index), false));
    }

    static void geglu(ProgramBuilder p, int index) {
        matrix(p, index, DeviceWeight.Layout.GEGLU, epilogue(p.graph.node(index), true));
    }

    private static void matrix(ProgramBuilder p, int index, DeviceWeight.Layout layout, Epilogue epilogue) {
        Node node = p.graph.node(index);
        int input = node.inputs().get(0);
        DeviceWeight weight = DeviceWeight.matrix(node.weights().get(0), layout, p.target);
        int rows = node.shape().rows();
        int columns = weight.rows();
        int channels = p.graph.shapeOf(input).channels();
        int outStride = node.shape().channels();
        MultiplyPlan plan = MultiplyPlan.choose(
                p.type(), weight.stored(), p.target.card(), rows, columns, channels, channels, outStride, 1, epilogue);
        long weights = p.weight(weight);
        long bias = layout == DeviceWeight.Layout.GEGLU && epilogue.bias()
                ? p.weight(new DeviceWeight(node.weights().get(1), layout, p.type(), false))
                : bias(p, node);
        plan.calls(
                        p.result(input),
                        weights,
                        weights + weight.scalesOffset(),
                        p.result(index),
                        p.work(plan.workBytes()),
                        MatrixMultiply.Batch.ONE,
                        bias,
                        inputs(p, node))
                .forEach(p::add);
    }

    private static long bias(ProgramBuilder p, Node node) {
        return node.weights().size() > 1 ? p.weight(node.weights().get(1)) : 0;
    }

    private static Epilogue epilogue(Node node, boolean geglu) {
        List<Epilogue.Step> steps = node.postOps().stream()
                .map(postOp -> switch (postOp.kind()) {
                    case SILU -> Epilogue.Step.SILU;
                    case GELU -> Epilogue.Step.GELU;
                    case QUICK_GELU -> Epilogue.Step.QUICK_GELU;
                    case ADD -> Epilogue.Step.ADD;
                    case ADD_PER_CHANNEL -> Epilogue.Step.ADD_PER_CHANNEL;
                })
                .toList();
        return new Epilogue(node.weights().size() > 1, geglu, steps);
    }

    private static List<Epilogue.Input> inputs(ProgramBuilder p, Node node) {
        List<Epilogue.Input> inputs = new ArrayList<>();
        for (PostOp postOp : node.postOps()) {
            if (postOp.kind() == PostOp.Kind.ADD) {
                inputs.add(new Epilogue.Input(p.result(postOp.input()), node.shape().channels()));
            } else if (postOp.kind() == PostOp.Kind.ADD_PER_CHANNEL) {
                boolean shared = p.graph.shapeOf(postOp.input()).batch() == 1;
                inputs.add(new Epilogue.Input(p.result(postOp.input()), shared ? node.shape().rows() : node.shape().positions()));
            }
        }
        return inputs;
    }
}
