package kiln.runtime.exec.onednn;

import kiln.runtime.exec.onednn.PreparedWeights.Slice;
import kiln.runtime.graph.Node;
import kiln.runtime.graph.Op;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_primitive_desc;
import org.bytedeco.dnnl.global.dnnl;

/** Normalisations; statistics are 32-bit whatever the results are. */
final class NormNodes {
    private static final int SCALE_AND_SHIFT = dnnl.dnnl_use_scale | dnnl.dnnl_use_shift;

    private NormNodes() {}

    static void groupNorm(Compilation c, int index, Op.GroupNorm op) {
        Node node = c.graph.node(index);
        int input = node.inputs().get(0);
        Attributes attributes = new Attributes(c.handles);
        int done = c.appendPostOps(attributes, node, true);
        dnnl_memory_desc layout = c.image(index);
        dnnl_primitive_desc description = new dnnl_primitive_desc();
        OneDnn.check(
                dnnl.dnnl_group_normalization_forward_primitive_desc_create(
                        description,
                        OneDnn.engine(),
                        dnnl.dnnl_forward_inference,
                        layout,
                        layout,
                        op.groups(),
                        op.epsilon(),
                        SCALE_AND_SHIFT,
                        attributes.finish()),
                "planning the group norm " + node.name());
        scaleAndShift(c, node, c.primitive(node.name(), description, attributes))
                .argument(dnnl.DNNL_ARG_SRC, c.result(input, layout))
                .argument(dnnl.DNNL_ARG_DST, c.result(index, layout));
        ElementNodes.postOps(c, index, done);
    }

    static void layerNorm(Compilation c, int index, Op.LayerNorm op) {
        Node node = c.graph.node(index);
        Attributes attributes = new Attributes(c.handles);
        dnnl_memory_desc layout = c.matrix(index);
        dnnl_primitive_desc description = new dnnl_primitive_desc();
        OneDnn.check(
                dnnl.dnnl_layer_normalization_forward_primitive_desc_create(
                        description,
                        OneDnn.engine(),
                        dnnl.dnnl_forward_inference,
                        layout,
                        layout,
                        null,
                        op.epsilon(),
                        SCALE_AND_SHIFT,
                        attributes.finish()),
                "planning the layer norm " + node.name());
        scaleAndShift(c, node, c.primitive(node.name(), description, attributes))
                .argument(dnnl.DNNL_ARG_SRC, c.result(node.inputs().get(0), layout))
                .argument(dnnl.DNNL_ARG_DST, c.result(index, layout));
        ElementNodes.postOps(c, index, 0);
    }

    private static Primitive scaleAndShift(Compilation c, Node node, Primitive primitive) {
        c.step(primitive);
        return primitive
                .argument(dnnl.DNNL_ARG_SCALE, c.weights.vector(Slice.whole(node.weights().get(0))))
                .argument(dnnl.DNNL_ARG_SHIFT, c.weights.vector(Slice.whole(node.weights().get(1))));
    }
}
