package kiln.runtime.exec.cuda.program;

import java.util.Optional;
import java.util.OptionalLong;
import kiln.kernels.Cublas;
import kiln.kernels.Cudnn;
import kiln.kernels.DataType;
import kiln.kernels.op.product.ApplyEpilogue;
import kiln.kernels.op.product.Epilogue;
import kiln.runtime.exec.cuda.library.DeviceLibraries;
import kiln.runtime.graph.Graph;
import kiln.runtime.graph.Node;
import kiln.runtime.graph.Op;
import kiln.runtime.graph.Shape;

/** Convolutions and linear layers by NVIDIA's libraries, each with a kernel behind it that does what follows. */
final class LibraryLowering {
    private LibraryLowering() {}

    /** How a library computes the node; empty where none is to, or can. */
    static Optional<Product> of(Graph graph, int index, DeviceTarget target, DeviceLibraries libraries) {
        Node node = graph.node(index);
        DeviceWeight weight = DeviceWeight.matrix(node.weights().get(0), ProductLowering.layout(node.op()), target);
        if (weight.stored() != target.type()) {
            return Optional.empty();
        }
        Shape in = graph.shapeOf(node.inputs().get(0));
        Epilogue epilogue = ProductLowering.epilogue(node);
        if (node.op() instanceof Op.Conv2d op && !ProductLowering.isPointwise(op)) {
            return windows(node, in, op, target.type())
                    .flatMap(convolution -> {
                        OptionalLong workBytes = libraries.workBytes(convolution, epilogue);
                        return workBytes.isEmpty() ? Optional.empty() : Optional.of(new OfWindows(convolution, workBytes.getAsLong(), weight, epilogue));
                    });
        }
        Cublas.Product product = new Cublas.Product(target.type(), node.shape().rows(), weight.rows(), in.channels());
        return libraries.multiplies(product, epilogue) ? Optional.of(new OfPositions(product, weight, epilogue)) : Optional.empty();
    }

    /** cuDNN takes neither bytes nor uneven padding nor pictures that are read doubled. */
    private static Optional<Cudnn.Convolution> windows(Node node, Shape in, Op.Conv2d op, DataType type) {
        Shape out = node.shape();
        if (op.upsample() || Math.min(in.height(), in.width()) + 2 * op.padBefore() < op.kernel()) {
            return Optional.empty();
        }
        Cudnn.Convolution convolution = new Cudnn.Convolution(
                type, in.batch(), in.height(), in.width(), in.channels(), out.channels(), op.kernel(), op.stride(), op.padBefore());
        boolean fits = convolution.outHeight() == out.height() && convolution.outWidth() == out.width();
        return fits ? Optional.of(convolution) : Optional.empty();
    }

    /** What a library computes. */
    sealed interface Product {
        /** Adds the commands. */
        void lower(ProgramBuilder p, int index);
    }

    private record OfPositions(Cublas.Product product, DeviceWeight weight, Epilogue epilogue) implements Product {
        @Override
        public void lower(ProgramBuilder p, int index) {
            long elements = (long) product.rows() * product.columns();
            // Elsewhere where the epilogue halves them.
            long sums = epilogue.geglu() ? p.work(elements * p.type().bytes()) : p.result(index);
            long in = p.result(p.graph.node(index).inputs().get(0));
            p.add(new DeviceCommand.LibraryProduct(product, in, p.weight(weight), sums));
            finish(p, index, sums, product.rows(), product.columns(), epilogue, weight.layout());
        }
    }

    private record OfWindows(Cudnn.Convolution convolution, long workBytes, DeviceWeight weight, Epilogue epilogue) implements Product {
        @Override
        public void lower(ProgramBuilder p, int index) {
            long work = p.work(workBytes);
            long in = p.result(p.graph.node(index).inputs().get(0));
            p.add(new DeviceCommand.LibraryConvolution(convolution, in, p.weight(weight), p.result(index), work));
            finish(p, index, p.result(index), convolution.rows(), convolution.outChannels(), epilogue, weight.layout());
        }
    }

    private static void finish(
            ProgramBuilder p, int index, long sums, int rows, int columns, Epilogue epilogue, DeviceWeight.Layout layout) {
        if (!epilogue.equals(Epilogue.NONE)) {
            long bias = ProductLowering.bias(p, p.graph.node(index), layout);
            p.add(ApplyEpilogue.of(p.type(), epilogue, columns)
                    .call(sums, p.result(index), rows, columns, bias, ProductLowering.added(p, index, p::result)));
        }
    }
}
