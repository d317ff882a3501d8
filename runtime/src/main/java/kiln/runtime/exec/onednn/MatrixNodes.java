package kiln.runtime.exec.onednn;

import kiln.runtime.exec.onednn.OneDnnWeights.Slice;
import kiln.runtime.graph.Node;
import kiln.runtime.graph.Op;
import kiln.runtime.graph.PostOp;
import kiln.runtime.graph.Shape;
import kiln.runtime.graph.Weight;
import org.bytedeco.dnnl.dnnl_memory;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_primitive_desc;
import org.bytedeco.dnnl.global.dnnl;

/** Convolutions and linear layers, with sums and activations inside; a band of rows at a time where there are several. */
final class MatrixNodes {
    private MatrixNodes() {}

    static void convolution(Compilation c, int index, Op.Conv2d op) {
        Node node = c.graph.node(index);
        if (op.upsample()) {
            upsamplingConvolution(c, index);
            return;
        }
        Parameter kernel = kernel(c, node, Slice.whole(node.weights().get(0)), op.kernel());
        int done = inBands(c, index, true, (first, rows, attributes, target) -> {
            Window window = Window.of(first, rows, op.kernel(), op.stride(), op.padBefore(), c.shape(node.inputs().get(0)).height());
            Rows source = source(c, index, window.first(), window.rows(), true);
            long[] before = {window.before(), op.padBefore()};
            long[] after = {window.after(), op.padAfter()};
            convolution(c, node, kernel, op.stride(), before, after, attributes, source, target);
        });
        ElementNodes.postOps(c, index, done);
    }

    /** Writes the steps that make one band. */
    @FunctionalInterface
    private interface Band {
        /** @param attributes with the post-ops that a primitive can do */
        void write(int firstRow, int rows, Attributes attributes, Rows target);
    }

    /** Gives how many of the post-ops are done. */
    private static int inBands(Compilation c, int index, boolean asImage, Band band) {
        int height = c.shape(index).height();
        int most = c.bands.rows(index);
        int done = 0;
        for (int first = 0; first < height; first += most) {
            long reserved = c.reserved();
            int rows = Math.min(most, height - first);
            Attributes attributes = new Attributes(c.handles);
            done = c.appendPostOps(attributes, c.graph.node(index), first, rows, asImage);
            Rows place = c.rows(index, first, rows, asImage);
            Rows target = c.bands.isInPlace(index) ? c.workRows(index, rows, asImage) : place;
            band.write(first, rows, attributes, target);
            if (target != place) {
                c.reorder("copy of " + c.graph.node(index).name(), target.layout(), target.memory(), place.layout(), place.memory());
            }
            if (most < height) {
                c.step(c.regions::listen);
            }
            c.release(reserved);
        }
        return done;
    }

    /** Rows that a product reads, with its norm applied where it has one. */
    private static Rows source(Compilation c, int index, int first, int rows, boolean asImage) {
        int norm = c.bands.normOf(index);
        return norm < 0 ? c.rows(c.bands.sourceOf(index), first, rows, asImage) : NormNodes.applied(c, norm, first, rows, asImage);
    }

    /**
     * The rows of a map that a window sees as it makes a band of rows.
     *
     * @param before rows of padding above the first, {@code after} below the last
     */
    private record Window(int first, int rows, int before, int after) {
        static Window of(int firstRow, int rows, int kernel, int stride, int padBefore, int height) {
            int from = firstRow * stride - padBefore;
            int to = from + (rows - 1) * stride + kernel;
            int first = Math.max(from, 0);
            return new Window(first, Math.min(to, height) - first, first - from, Math.max(to - height, 0));
        }
    }

    /** Four convolutions with 2×2 kernels on the smaller map, each for every other row and column of the larger one. */
    private static void upsamplingConvolution(Compilation c, int index) {
        Node node = c.graph.node(index);
        int input = node.inputs().get(0);
        Shape from = c.shape(input);
        Shape to = node.shape();
        Parameter[] kernels = new Parameter[4];
        for (int corner = 0; corner < 4; corner++) {
            kernels[corner] = kernel(c, node, Slice.corner(node.weights().get(0), corner), 2);
        }
        boolean functionsOnly = node.postOps().stream().noneMatch(postOp -> postOp.kind().hasInput());
        int most = c.bands.rows(index) / 2;
        long row = (long) to.width() * to.channels();
        long[] strides = {to.height() * row, 1, 2 * row, 2L * to.channels()};
        for (int first = 0; first < from.height(); first += most) {
            long reserved = c.reserved();
            int rows = Math.min(most, from.height() - first);
            dnnl_memory_desc part = Descriptors.image(c.handles, new Shape(from.batch(), rows, from.width(), to.channels()), c.format);
            Rows result = new Rows(part, c.work(part));
            long[] dims = {from.batch(), to.channels(), rows, from.width()};
            dnnl_memory_desc scattered = Descriptors.strided(c.handles, c.format, dims, strides);
            for (int corner = 0; corner < 4; corner++) {
                int lower = corner >> 1;
                int right = corner & 1;
                Window window = Window.of(first, rows, 2, 1, 1 - lower, from.height());
                long[] before = {window.before(), 1 - right};
                long[] after = {window.after(), right};
                Rows source = c.rows(input, window.first(), window.rows(), true);
                Attributes attributes = new Attributes(c.handles);
                if (functionsOnly) {
                    node.postOps().forEach(postOp -> attributes.function(postOp.kind()));
                }
                convolution(c, node, kernels[corner], 1, before, after, attributes, source, result);
                long place = c.offset(index) + ((2L * first + lower) * row + (long) right * to.channels()) * c.format.bytes();
                c.reorder("scattering of " + node.name(), part, result.memory(), scattered, c.regions.arena(c.handles, scattered, place));
            }
            if (most < from.height()) {
                c.step(c.regions::listen);
            }
            c.release(reserved);
        }
        ElementNodes.postOps(c, index, functionsOnly ? node.postOps().size() : 0);
    }

    /** A matrix or kernels in the layout that the first primitive chooses, and all others of its node take. */
    private static final class Parameter {
        private final Slice slice;
        private final dnnl_memory_desc stored;
        private dnnl_memory_desc wanted;
        private OneDnnWeights.Held held;

        Parameter(Slice slice, dnnl_memory_desc stored, dnnl_memory_desc any) {
            this.slice = slice;
            this.stored = stored;
            wanted = any;
        }

        dnnl_memory memory(Compilation c, Primitive primitive) {
            if (held == null) {
                wanted = primitive.layout(dnnl.dnnl_query_weights_md);
                held = c.weights.get(slice, stored, wanted);
                if (held.isNarrow()) {
                    c.step(held::widen);
                }
            }
            return held.memory();
        }
    }

    private static Parameter kernel(Compilation c, Node node, Slice slice, int side) {
        long[] dims = {slice.rows(), c.shape(node.inputs().get(0)).channels(), side, side};
        dnnl_memory_desc stored = Descriptors.tagged(c.handles, NumberFormat.F32, dnnl.dnnl_oihw, dims);
        return new Parameter(slice, stored, Descriptors.any(c.handles, c.format, dims));
    }

    private static Parameter matrix(Compilation c, Slice slice) {
        long in = slice.elementsPerRow();
        long out = slice.rows();
        dnnl_memory_desc stored = Descriptors.tagged(c.handles, NumberFormat.F32, dnnl.dnnl_ba, in, out);
        return new Parameter(slice, stored, Descriptors.any(c.handles, c.format, in, out));
    }

    private static void convolution(
            Compilation c,
            Node node,
            Parameter kernel,
            int stride,
            long[] before,
            long[] after,
            Attributes attributes,
            Rows source,
            Rows target) {
        dnnl_primitive_desc description = new dnnl_primitive_desc();
        OneDnn.check(
                dnnl.dnnl_convolution_forward_primitive_desc_create(
                        description,
                        OneDnn.engine(),
                        dnnl.dnnl_forward_inference,
                        dnnl.dnnl_convolution_direct,
                        source.layout(),
                        kernel.wanted,
                        Descriptors.vector(c.handles, kernel.slice.rows()),
                        target.layout(),
                        new long[] {stride, stride},
                        new long[] {0, 0},
                        before,
                        after,
                        attributes.finish()),
                "planning the convolution " + node.name());
        Primitive primitive = c.primitive(node.name(), description, attributes);
        primitive.argument(dnnl.DNNL_ARG_SRC, source.memory())
                .argument(dnnl.DNNL_ARG_WEIGHTS, kernel.memory(c, primitive))
                .argument(dnnl.DNNL_ARG_BIAS, c.weights.vector(Slice.whole(node.weights().get(1))))
                .argument(dnnl.DNNL_ARG_DST, target.memory());
        c.step(primitive);
    }

    static void linear(Compilation c, int index) {
        Node node = c.graph.node(index);
        Parameter matrix = matrix(c, Slice.whole(node.weights().get(0)));
        Slice bias = node.weights().size() > 1 ? Slice.whole(node.weights().get(1)) : null;
        int done = inBands(c, index, false, (first, rows, attributes, target) ->
                product(c, node, matrix, bias, attributes, source(c, index, first, rows, false), target));
        ElementNodes.postOps(c, index, done);
    }

    /** gate = gelu(x·Wg + bg) into work memory, then (x·Wv + bv)·gate: no result of twice the width is ever stored. */
    static void geglu(Compilation c, int index) {
        Node node = c.graph.node(index);
        Weight weight = node.weights().get(0);
        Weight bias = node.weights().get(1);
        int half = weight.rows() / 2;
        int height = node.shape().height();
        Rows source = c.rows(node.inputs().get(0), 0, height, false);
        Rows target = c.rows(index, 0, height, false);
        Rows gate = c.workRows(index, height, false);
        Attributes gelu = new Attributes(c.handles).function(PostOp.Kind.GELU);
        product(c, node, matrix(c, Slice.rows(weight, half, half)), Slice.rows(bias, half, half), gelu, source, gate);
        Attributes multiply = new Attributes(c.handles).multiply(gate.layout(), gate.memory());
        product(c, node, matrix(c, Slice.rows(weight, 0, half)), Slice.rows(bias, 0, half), multiply, source, target);
        ElementNodes.postOps(c, index, 0);
    }

    private static void product(
            Compilation c, Node node, Parameter matrix, Slice bias, Attributes attributes, Rows source, Rows target) {
        dnnl_primitive_desc description = new dnnl_primitive_desc();
        OneDnn.check(
                dnnl.dnnl_matmul_primitive_desc_create(
                        description,
                        OneDnn.engine(),
                        source.layout(),
                        matrix.wanted,
                        bias == null ? null : Descriptors.tagged(c.handles, NumberFormat.F32, dnnl.dnnl_ab, 1, matrix.slice.rows()),
                        target.layout(),
                        attributes.finish()),
                "planning the linear layer " + node.name());
        Primitive primitive = c.primitive(node.name(), description, attributes);
        primitive.argument(dnnl.DNNL_ARG_SRC, source.memory())
                .argument(dnnl.DNNL_ARG_WEIGHTS, matrix.memory(c, primitive))
                .argument(dnnl.DNNL_ARG_DST, target.memory());
        if (bias != null) {
            primitive.argument(dnnl.DNNL_ARG_BIAS, c.weights.vector(bias));
        }
        c.step(primitive);
    }
}
