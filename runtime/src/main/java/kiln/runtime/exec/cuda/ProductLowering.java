package kiln.runtime.exec.cuda;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import kiln.kernels.Cublas;
import kiln.kernels.Cudnn;
import kiln.kernels.op.ApplyEpilogue;
import kiln.kernels.op.Convolution;
import kiln.kernels.op.ConvolutionPlan;
import kiln.kernels.op.Epilogue;
import kiln.kernels.op.MatrixMultiply;
import kiln.kernels.op.MultiplyPlan;
import kiln.runtime.graph.Node;
import kiln.runtime.graph.Op;
import kiln.runtime.graph.PostOp;
import kiln.runtime.graph.Shape;

/** Convolutions and linear layers: by Kiln's own kernels with all that follows in their epilogue, or by a library and another kernel. */
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
        if (convolvedByLibrary(p, index, op, shape, weight)) {
            return;
        }
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
                        bias(p, node, DeviceWeight.Layout.PLAIN),
                        inputs(p, node))
                .forEach(p::add);
    }

    /** Adds cuDNN's convolution and what follows it, if cuDNN is to compute it and can: it knows neither bytes nor uneven padding. */
    private static boolean convolvedByLibrary(
            ProgramBuilder p, int index, Op.Conv2d op, Convolution.Shape shape, DeviceWeight weight) {
        if (weight.int8() || op.upsample() || Math.min(shape.height(), shape.width()) + 2 * op.padBefore() < op.kernel()) {
            return false;
        }
        Cudnn.Convolution convolution = new Cudnn.Convolution(
                p.type(),
                shape.batch(),
                shape.height(),
                shape.width(),
                shape.inChannels(),
                shape.outChannels(),
                op.kernel(),
                op.stride(),
                op.padBefore());
        if (convolution.outHeight() != shape.outHeight() || convolution.outWidth() != shape.outWidth()) {
            return false;
        }
        Node node = p.graph.node(index);
        Epilogue epilogue = epilogue(node, false);
        OptionalLong workBytes = p.libraries.workBytes(convolution, epilogue);
        if (workBytes.isEmpty()) {
            return false;
        }
        int columns = shape.outChannels();
        int rows = convolution.rows();
        long in = p.result(node.inputs().get(0));
        long work = p.work(workBytes.getAsLong());
        p.add(new DeviceCommand.LibraryConvolution(convolution, in, p.weight(weight), p.result(index), work));
        finish(p, index, p.result(index), rows, columns, epilogue, DeviceWeight.Layout.PLAIN);
        return true;
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
        if (!weight.int8()) {
            Cublas.Product product = new Cublas.Product(p.type(), rows, columns, channels);
            if (p.libraries.multiplies(product, epilogue)) {
                long sums = sums(p, index, rows, columns, epilogue);
                p.add(new DeviceCommand.LibraryProduct(product, p.result(input), p.weight(weight), sums));
                finish(p, index, sums, rows, columns, epilogue, layout);
                return;
            }
        }
        MultiplyPlan plan = MultiplyPlan.choose(
                p.type(), weight.stored(), p.target.card(), rows, columns, channels, channels, outStride, 1, epilogue);
        long weights = p.weight(weight);
        plan.calls(
                        p.result(input),
                        weights,
                        weights + weight.scalesOffset(),
                        p.result(index),
                        p.work(plan.workBytes()),
                        MatrixMultiply.Batch.ONE,
                        bias(p, node, layout),
                        inputs(p, node))
                .forEach(p::add);
    }

    /** Where a library leaves its sums: in the result's place, unless an epilogue halves them. */
    private static long sums(ProgramBuilder p, int index, int rows, int columns, Epilogue epilogue) {
        return epilogue.geglu() ? p.work((long) rows * columns * p.type().bytes()) : p.result(index);
    }

    /** What follows a library's sums. */
    private static void finish(
            ProgramBuilder p, int index, long sums, int rows, int columns, Epilogue epilogue, DeviceWeight.Layout layout) {
        if (epilogue.equals(Epilogue.NONE)) {
            return;
        }
        Node node = p.graph.node(index);
        p.add(ApplyEpilogue.of(p.type(), epilogue, columns)
                .call(sums, p.result(index), rows, columns, bias(p, node, layout), inputs(p, node)));
    }

    /** @param layout of the weights that it belongs to */
    private static long bias(ProgramBuilder p, Node node, DeviceWeight.Layout layout) {
        if (node.weights().size() == 1) {
            return 0;
        }
        return p.weight(new DeviceWeight(node.weights().get(1), layout, p.type(), false));
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
