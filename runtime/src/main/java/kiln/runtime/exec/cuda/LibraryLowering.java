package kiln.runtime.exec.cuda;

import java.util.OptionalLong;
import kiln.kernels.Cublas;
import kiln.kernels.Cudnn;
import kiln.kernels.op.ApplyEpilogue;
import kiln.kernels.op.Epilogue;
import kiln.runtime.graph.Node;
import kiln.runtime.graph.Op;
import kiln.runtime.graph.Shape;

/** Convolutions and linear layers by NVIDIA's libraries, each with a kernel behind it that does what follows. */
final class LibraryLowering {
    private LibraryLowering() {}

    /** Adds the commands, if a library is to compute the node and can. */
    static boolean product(ProgramBuilder p, int index) {
        Op op = p.graph.node(index).op();
        if (op instanceof Op.Conv2d convolution && !ProductLowering.isPointwise(convolution)) {
            return convolution(p, index, convolution);
        }
        return matrix(p, index, ProductLowering.layout(op));
    }

    private static boolean matrix(ProgramBuilder p, int index, DeviceWeight.Layout layout) {
        Node node = p.graph.node(index);
        DeviceWeight weight = DeviceWeight.matrix(node.weights().get(0), layout, p.target);
        if (weight.stored() != p.type()) {
            return false;
        }
        int input = node.inputs().get(0);
        Epilogue epilogue = ProductLowering.epilogue(node);
        Cublas.Product product = new Cublas.Product(p.type(), node.shape().rows(), weight.rows(), p.graph.shapeOf(input).channels());
        if (!p.libraries.multiplies(product, epilogue)) {
            return false;
        }
        long elements = (long) product.rows() * product.columns();
        // Elsewhere where the epilogue halves them.
        long sums = epilogue.geglu() ? p.work(elements * p.type().bytes()) : p.result(index);
        p.add(new DeviceCommand.LibraryProduct(product, p.result(input), p.weight(weight), sums));
        finish(p, index, sums, product.rows(), product.columns(), epilogue, layout);
        return true;
    }

    /** cuDNN takes neither bytes nor uneven padding nor pictures that are read doubled. */
    private static boolean convolution(ProgramBuilder p, int index, Op.Conv2d op) {
        Node node = p.graph.node(index);
        int input = node.inputs().get(0);
        Shape in = p.graph.shapeOf(input);
        Shape out = node.shape();
        DeviceWeight weight = DeviceWeight.matrix(node.weights().get(0), DeviceWeight.Layout.CONVOLUTION, p.target);
        if (weight.stored() != p.type() || op.upsample() || Math.min(in.height(), in.width()) + 2 * op.padBefore() < op.kernel()) {
            return false;
        }
        Cudnn.Convolution convolution = new Cudnn.Convolution(
                p.type(),
                in.batch(),
                in.height(),
                in.width(),
                in.channels(),
                out.channels(),
                op.kernel(),
                op.stride(),
                op.padBefore());
        if (convolution.outHeight() != out.height() || convolution.outWidth() != out.width()) {
            return false;
        }
        Epilogue epilogue = ProductLowering.epilogue(node);
        OptionalLong workBytes = p.libraries.workBytes(convolution, epilogue);
        if (workBytes.isEmpty()) {
            return false;
        }
        long work = p.work(workBytes.getAsLong());
        p.add(new DeviceCommand.LibraryConvolution(convolution, p.result(input), p.weight(weight), p.result(index), work));
        finish(p, index, p.result(index), convolution.rows(), out.channels(), epilogue, DeviceWeight.Layout.PLAIN);
        return true;
    }

    private static void finish(
            ProgramBuilder p, int index, long sums, int rows, int columns, Epilogue epilogue, DeviceWeight.Layout layout) {
        if (!epilogue.equals(Epilogue.NONE)) {
            long bias = ProductLowering.bias(p, p.graph.node(index), layout);
            p.add(ApplyEpilogue.of(p.type(), epilogue, columns)
                    .call(sums, p.result(index), rows, columns, bias, ProductLowering.inputs(p, index, p::result)));
        }
    }
}
