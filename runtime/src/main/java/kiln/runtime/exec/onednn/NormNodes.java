package kiln.runtime.exec.onednn;

import java.nio.FloatBuffer;
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
     */
    static void groupNorm(Compilation c, int index, Op.GroupNorm op) {
        Node node = c.graph.node(index);
        Shape shape = node.shape();
        int channels = shape.channels();
        Shape one = new Shape(1, shape.height(), shape.width(), channels);
        int input = node.inputs().get(0);
        dnnl_memory_desc from = Descriptors.image(c.handles, one, c.format(input));
        dnnl_memory_desc to = Descriptors.image(c.handles, one, c.format(index));
        dnnl_memory_desc vector = Descriptors.vector(c.handles, channels);
        dnnl_memory_desc perChannel = Descriptors.tagged(c.handles, NumberFormat.F32, dnnl.dnnl_nhwc, 1, channels, 1, 1);
        long bytes = (long) channels * Float.BYTES;
        long meansAt = c.reserve(bytes);
        long variancesAt = c.reserve(bytes);
        long factorsAt = c.reserve(bytes);
        long offsetsAt = c.reserve(bytes);
        float[] scale = c.weights.values(node.weights().get(0));
        float[] shift = c.weights.values(node.weights().get(1));
        boolean sameFormat = c.format(input) == c.format(index);
        // oneDNN has no fast kernel from one format to the other here: the result is made in the input's and converted.
        dnnl_memory unconverted = sameFormat ? null : c.work(from);
        for (int b = 0; b < shape.batch(); b++) {
            dnnl_memory source = c.regions.arena(c.handles, from, c.offset(input) + b * one.elements() * c.format(input).bytes());
            dnnl_memory target = c.regions.arena(c.handles, to, c.offset(index) + b * one.elements() * c.format(index).bytes());
            dnnl_memory normalised = sameFormat ? target : unconverted;
            c.step(statistics(c, node, from, source, normalised)
                    .argument(dnnl.DNNL_ARG_MEAN, c.regions.work(c.handles, vector, meansAt))
                    .argument(dnnl.DNNL_ARG_VARIANCE, c.regions.work(c.handles, vector, variancesAt)));
            c.step(() -> {
                FloatBuffer means = c.regions.workBuffer(meansAt, bytes).asFloatBuffer();
                FloatBuffer variances = c.regions.workBuffer(variancesAt, bytes).asFloatBuffer();
                FloatBuffer factors = c.regions.workBuffer(factorsAt, bytes).asFloatBuffer();
                FloatBuffer offsets = c.regions.workBuffer(offsetsAt, bytes).asFloatBuffer();
                combine(op, means, variances, scale, shift, factors, offsets);
            });
            Attributes attributes = new Attributes(c.handles).add(perChannel, c.regions.work(c.handles, perChannel, offsetsAt));
            node.postOps().forEach(postOp -> attributes.function(postOp.kind()));
            dnnl_primitive_desc description = new dnnl_primitive_desc();
            OneDnn.check(
                    dnnl.dnnl_binary_primitive_desc_create(
                            description, OneDnn.engine(), dnnl.dnnl_binary_mul, from, perChannel, from, attributes.finish()),
                    "planning the group norm " + node.name());
            c.step(c.primitive(node.name(), description, attributes)
                    .argument(dnnl.DNNL_ARG_SRC, source)
                    .argument(dnnl.DNNL_ARG_SRC_1, c.regions.work(c.handles, perChannel, factorsAt))
                    .argument(dnnl.DNNL_ARG_DST, normalised));
            if (!sameFormat) {
                c.reorder("conversion of " + node.name(), from, unconverted, to, target);
            }
        }
    }

    /** Mean and variance of each channel; the normalised picture that comes with them is written over at once. */
    private static Primitive statistics(Compilation c, Node node, dnnl_memory_desc picture, dnnl_memory source, dnnl_memory target) {
        Attributes attributes = new Attributes(c.handles);
        dnnl_primitive_desc description = new dnnl_primitive_desc();
        OneDnn.check(
                dnnl.dnnl_batch_normalization_forward_primitive_desc_create(
                        description, OneDnn.engine(), dnnl.dnnl_forward_training, picture, picture, 1, 0, attributes.finish()),
                "planning the statistics of " + node.name());
        return c.primitive(node.name(), description, attributes)
                .argument(dnnl.DNNL_ARG_SRC, source)
                .argument(dnnl.DNNL_ARG_DST, target);
    }

    private static void combine(
            Op.GroupNorm op, FloatBuffer means, FloatBuffer variances, float[] scale, float[] shift, FloatBuffer factors, FloatBuffer offsets) {
        int size = scale.length / op.groups();
        for (int first = 0; first < scale.length; first += size) {
            double mean = 0;
            for (int k = first; k < first + size; k++) {
                mean += means.get(k);
            }
            mean /= size;
            double variance = 0;
            for (int k = first; k < first + size; k++) {
                double distance = means.get(k) - mean;
                variance += variances.get(k) + distance * distance;
            }
            double inverse = 1 / Math.sqrt(variance / size + op.epsilon());
            for (int k = first; k < first + size; k++) {
                factors.put(k, (float) (scale[k] * inverse));
                offsets.put(k, (float) (shift[k] - mean * scale[k] * inverse));
            }
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
