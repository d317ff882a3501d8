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

/** Convolutions and linear layers, with sums and activations inside. */
final class MatrixNodes {
    private MatrixNodes() {}

    static void convolution(Compilation c, int index, Op.Conv2d op) {
        if (op.upsample()) {
            upsamplingConvolution(c, index);
            return;
        }
        Node node = c.graph.node(index);
        Attributes attributes = new Attributes(c.handles);
        int done = c.appendPostOps(attributes, node, true);
        dnnl_memory_desc target = c.image(index);
        long[] before = {op.padBefore(), op.padBefore()};
        long[] after = {op.padAfter(), op.padAfter()};
        Slice kernel = Slice.whole(node.weights().get(0));
        convolution(c, node, kernel, op.kernel(), op.stride(), before, after, attributes, target, c.result(index, target));
        ElementNodes.postOps(c, index, done);
    }

    /** Four convolutions with 2×2 kernels on the smaller map, each for every other row and column of the larger one. */
    private static void upsamplingConvolution(Compilation c, int index) {
        Node node = c.graph.node(index);
        Shape from = c.shape(node.inputs().get(0));
        Shape to = node.shape();
        dnnl_memory_desc part = Descriptors.image(c.handles, from.withChannels(to.channels()), c.format);
        dnnl_memory result = c.work(part);
        long row = (long) to.width() * to.channels();
        long[] dims = {from.batch(), to.channels(), from.height(), from.width()};
        long[] strides = {to.height() * row, 1, 2 * row, 2L * to.channels()};
        boolean functionsOnly = node.postOps().stream().noneMatch(postOp -> postOp.kind().hasInput());
        dnnl_memory_desc scattered = Descriptors.strided(c.handles, c.format, dims, strides);
        for (int corner = 0; corner < 4; corner++) {
            int lower = corner >> 1;
            int right = corner & 1;
            long[] before = {1 - lower, 1 - right};
            long[] after = {lower, right};
            Slice kernel = Slice.corner(node.weights().get(0), corner);
            Attributes attributes = new Attributes(c.handles);
            if (functionsOnly) {
                node.postOps().forEach(postOp -> attributes.function(postOp.kind()));
            }
            convolution(c, node, kernel, 2, 1, before, after, attributes, part, result);
            long place = c.offset(index) + (lower * row + (long) right * to.channels()) * c.format.bytes();
            c.reorder("scattering of " + node.name(), part, result, scattered, c.regions.arena(c.handles, scattered, place));
        }
        ElementNodes.postOps(c, index, functionsOnly ? node.postOps().size() : 0);
    }

    private static void convolution(
            Compilation c,
            Node node,
            Slice kernel,
            int side,
            int stride,
            long[] before,
            long[] after,
            Attributes attributes,
            dnnl_memory_desc target,
            dnnl_memory result) {
        int input = node.inputs().get(0);
        long[] dims = {kernel.rows(), c.shape(input).channels(), side, side};
        dnnl_memory_desc source = c.image(input);
        dnnl_primitive_desc description = new dnnl_primitive_desc();
        OneDnn.check(
                dnnl.dnnl_convolution_forward_primitive_desc_create(
                        description,
                        OneDnn.engine(),
                        dnnl.dnnl_forward_inference,
                        dnnl.dnnl_convolution_direct,
                        source,
                        Descriptors.any(c.handles, c.format, dims),
                        Descriptors.vector(c.handles, kernel.rows()),
                        target,
                        new long[] {stride, stride},
                        new long[] {0, 0},
                        before,
                        after,
                        attributes.finish()),
                "planning the convolution " + node.name());
        Primitive primitive = c.primitive(node.name(), description, attributes);
        dnnl_memory_desc stored = Descriptors.tagged(c.handles, NumberFormat.F32, dnnl.dnnl_oihw, dims);
        primitive.argument(dnnl.DNNL_ARG_SRC, c.result(input, source))
                .argument(dnnl.DNNL_ARG_WEIGHTS, c.weights.get(kernel, stored, primitive.layout(dnnl.dnnl_query_weights_md)))
                .argument(dnnl.DNNL_ARG_BIAS, c.weights.vector(Slice.whole(node.weights().get(1))))
                .argument(dnnl.DNNL_ARG_DST, result);
        c.step(primitive);
    }

    static void linear(Compilation c, int index) {
        Node node = c.graph.node(index);
        Attributes attributes = new Attributes(c.handles);
        int done = c.appendPostOps(attributes, node, false);
        dnnl_memory_desc target = c.matrix(index);
        Slice bias = node.weights().size() > 1 ? Slice.whole(node.weights().get(1)) : null;
        product(c, node, Slice.whole(node.weights().get(0)), bias, attributes, target, c.result(index, target));
        ElementNodes.postOps(c, index, done);
    }

    /** gate = gelu(x·Wg + bg) into work memory, then (x·Wv + bv)·gate: no result of twice the width is ever stored. */
    static void geglu(Compilation c, int index) {
        Node node = c.graph.node(index);
        Weight weight = node.weights().get(0);
        Weight bias = node.weights().get(1);
        int half = weight.rows() / 2;
        dnnl_memory_desc target = c.matrix(index);
        dnnl_memory gate = c.work(target);
        Attributes gelu = new Attributes(c.handles).function(PostOp.Kind.GELU);
        product(c, node, Slice.rows(weight, half, half), Slice.rows(bias, half, half), gelu, target, gate);
        Attributes multiply = new Attributes(c.handles).multiply(target, gate);
        product(c, node, Slice.rows(weight, 0, half), Slice.rows(bias, 0, half), multiply, target, c.result(index, target));
        ElementNodes.postOps(c, index, 0);
    }

    private static void product(
            Compilation c, Node node, Slice weight, Slice bias, Attributes attributes, dnnl_memory_desc target, dnnl_memory result) {
        int input = node.inputs().get(0);
        long in = weight.elementsPerRow();
        long out = weight.rows();
        dnnl_memory_desc source = c.matrix(input);
        dnnl_primitive_desc description = new dnnl_primitive_desc();
        OneDnn.check(
                dnnl.dnnl_matmul_primitive_desc_create(
                        description,
                        OneDnn.engine(),
                        source,
                        Descriptors.any(c.handles, c.format, in, out),
                        bias == null ? null : Descriptors.tagged(c.handles, NumberFormat.F32, dnnl.dnnl_ab, 1, out),
                        target,
                        attributes.finish()),
                "planning the linear layer " + node.name());
        Primitive primitive = c.primitive(node.name(), description, attributes);
        dnnl_memory_desc stored = Descriptors.tagged(c.handles, NumberFormat.F32, dnnl.dnnl_ba, in, out);
        primitive.argument(dnnl.DNNL_ARG_SRC, c.result(input, source))
                .argument(dnnl.DNNL_ARG_WEIGHTS, c.weights.get(weight, stored, primitive.layout(dnnl.dnnl_query_weights_md)))
                .argument(dnnl.DNNL_ARG_DST, result);
        if (bias != null) {
            primitive.argument(dnnl.DNNL_ARG_BIAS, c.weights.vector(bias));
        }
        c.step(primitive);
    }
}
