package kiln.runtime.exec.onednn;

import java.nio.ByteBuffer;
import kiln.runtime.exec.onednn.OneDnnWeights.Slice;
import kiln.runtime.graph.Node;
import kiln.runtime.graph.Op;
import kiln.runtime.graph.Shape;
import org.bytedeco.dnnl.dnnl_memory;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_primitive_desc;
import org.bytedeco.dnnl.global.dnnl;

/** Normalisations; statistics are 32-bit whatever the results are. */
final class NormNodes {
    private static final int SCALE_AND_SHIFT = dnnl.dnnl_use_scale | dnnl.dnnl_use_shift;

    private NormNodes() {}

    /**
     * Statistics per channel from a batch normalisation of one picture, put together to groups here, then x·factor + offset per channel
     * with the activation behind it. oneDNN's own group normalisation works channel by channel of a group, which for the four channels of
     * a decoder's last level took six times as long.
     *
     * <p>Where the product behind it applies it, factors and offsets are all that it leaves.
     */
    static void groupNorm(Compilation c, int index, Op.GroupNorm op) {
        Node node = c.graph.node(index);
        Shape shape = node.shape();
        int input = node.inputs().get(0);
        boolean isApplied = c.bands.isApplied(index);
        Shape one = new Shape(1, shape.height(), shape.width(), shape.channels());
        long bytes = (long) shape.channels() * Float.BYTES;
        long workAt = isApplied ? 0 : c.reserve(2 * bytes);
        Statistics statistics = new Statistics(c, node, one, input);
        float[] scale = c.weights.values(node.weights().get(0));
        float[] shift = c.weights.values(node.weights().get(1));
        for (int b = 0; b < shape.batch(); b++) {
            long from = c.offset(input) + b * one.elements() * c.format(input).bytes();
            c.step(() -> {
                statistics.of(from);
                ByteBuffer place = isApplied ? c.regions.arenaBuffer(c.offset(index), 2 * bytes) : c.regions.workBuffer(workAt, 2 * bytes);
                statistics.combine(op, scale, shift, place.asFloatBuffer());
            });
            if (!isApplied) {
                dnnl_memory_desc vector = perChannel(c, shape.channels());
                dnnl_memory_desc source = Descriptors.image(c.handles, one, c.format(input));
                dnnl_memory_desc target = Descriptors.image(c.handles, one, c.format(index));
                long to = c.offset(index) + b * one.elements() * c.format(index).bytes();
                apply(c, node, new Rows(source, c.regions.arena(c.handles, source, from)), new Rows(target, c.regions.arena(c.handles, target, to)),
                        c.regions.work(c.handles, vector, workAt), c.regions.work(c.handles, vector, workAt + bytes));
            }
        }
    }

    /** Some rows as the product that applies a norm reads them, in work memory. */
    static Rows applied(Compilation c, int norm, int firstRow, int rows, boolean asImage) {
        int input = c.graph.node(norm).inputs().get(0);
        int channels = c.shape(norm).channels();
        dnnl_memory_desc vector = perChannel(c, channels);
        Rows target = c.workRows(norm, rows, true);
        apply(c, c.graph.node(norm), c.rows(input, firstRow, rows, true), target, c.regions.arena(c.handles, vector, c.offset(norm)),
                c.regions.arena(c.handles, vector, c.offset(norm) + (long) channels * Float.BYTES));
        return asImage ? target : new Rows(c.matrixRows(norm, rows), target.memory());
    }

    private static dnnl_memory_desc perChannel(Compilation c, int channels) {
        return Descriptors.tagged(c.handles, NumberFormat.F32, dnnl.dnnl_nhwc, 1, channels, 1, 1);
    }

    private static void apply(Compilation c, Node node, Rows source, Rows target, dnnl_memory factors, dnnl_memory offsets) {
        dnnl_memory_desc from = source.layout();
        dnnl_memory_desc vector = perChannel(c, node.shape().channels());
        boolean sameFormat = dnnl.dnnl_memory_desc_equal(from, target.layout()) != 0;
        // oneDNN has no fast kernel from one format to the other here: the result is made in the input's and converted.
        dnnl_memory normalised = sameFormat ? target.memory() : c.work(from);
        Attributes attributes = new Attributes(c.handles).add(vector, offsets);
        node.postOps().forEach(postOp -> attributes.function(postOp.kind()));
        dnnl_primitive_desc description = new dnnl_primitive_desc();
        OneDnn.check(
                dnnl.dnnl_binary_primitive_desc_create(
                        description, OneDnn.engine(), dnnl.dnnl_binary_mul, from, vector, from, attributes.finish()),
                "planning the group norm " + node.name());
        c.step(c.primitive(node.name(), description, attributes)
                .argument(dnnl.DNNL_ARG_SRC, source.memory())
                .argument(dnnl.DNNL_ARG_SRC_1, factors)
                .argument(dnnl.DNNL_ARG_DST, normalised));
        if (!sameFormat) {
            c.reorder("conversion of " + node.name(), from, normalised, target.layout(), target.memory());
        }
    }

    static void layerNorm(Compilation c, int index, Op.LayerNorm op) {
        Node node = c.graph.node(index);
        Attributes attributes = new Attributes(c.handles);
        int input = node.inputs().get(0);
        dnnl_memory_desc from = c.matrix(input);
        dnnl_memory_desc to = c.matrix(index);
        dnnl_primitive_desc description = new dnnl_primitive_desc();
        OneDnn.check(
                dnnl.dnnl_layer_normalization_forward_primitive_desc_create(
                        description,
                        OneDnn.engine(),
                        dnnl.dnnl_forward_inference,
                        from,
                        to,
                        null,
                        op.epsilon(),
                        SCALE_AND_SHIFT,
                        attributes.finish()),
                "planning the layer norm " + node.name());
        scaleAndShift(c, node, c.primitive(node.name(), description, attributes))
                .argument(dnnl.DNNL_ARG_SRC, c.result(input, from))
                .argument(dnnl.DNNL_ARG_DST, c.result(index, to));
        ElementNodes.postOps(c, index, 0);
    }

    private static Primitive scaleAndShift(Compilation c, Node node, Primitive primitive) {
        c.step(primitive);
        return primitive
                .argument(dnnl.DNNL_ARG_SCALE, c.weights.vector(Slice.whole(node.weights().get(0))))
                .argument(dnnl.DNNL_ARG_SHIFT, c.weights.vector(Slice.whole(node.weights().get(1))));
    }
}
