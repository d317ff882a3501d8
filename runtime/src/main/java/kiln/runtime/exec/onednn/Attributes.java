package kiln.runtime.exec.onednn;

import java.util.ArrayList;
import java.util.List;
import kiln.runtime.graph.PostOp;
import org.bytedeco.dnnl.dnnl_memory;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_post_ops;
import org.bytedeco.dnnl.dnnl_primitive_attr;
import org.bytedeco.dnnl.global.dnnl;

/** What is done inside a primitive beside its own work, and the operands of it. Scratch memory is always given by us. */
final class Attributes {

    private final dnnl_primitive_attr attr = new dnnl_primitive_attr();
    private final dnnl_post_ops postOps = new dnnl_post_ops();
    private final List<dnnl_memory> operands = new ArrayList<>();

    Attributes(Handles handles) {
        OneDnn.check(dnnl.dnnl_primitive_attr_create(attr), "creating attributes");
        handles.own(attr);
        OneDnn.check(dnnl.dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl.dnnl_scratchpad_mode_user), "setting the scratch mode");
        OneDnn.check(dnnl.dnnl_post_ops_create(postOps), "creating post-ops");
        handles.own((AutoCloseable) () -> dnnl.dnnl_post_ops_destroy(postOps));
    }

    Attributes function(PostOp.Kind kind) {
        OneDnn.check(dnnl.dnnl_post_ops_append_eltwise(postOps, algorithm(kind), factor(kind), 0), "appending " + kind);
        operands.add(null);
        return this;
    }

    /** A function's number in oneDNN. */
    static int algorithm(PostOp.Kind kind) {
        return switch (kind) {
            case SILU, QUICK_GELU -> dnnl.dnnl_eltwise_swish;
            case GELU -> dnnl.dnnl_eltwise_gelu_erf;
            case RELU, LEAKY_RELU -> dnnl.dnnl_eltwise_relu;
            case FIFTH -> dnnl.dnnl_eltwise_linear;
            case ADD, ADD_PER_CHANNEL -> throw new IllegalArgumentException(kind + " is not a function of one value");
        };
    }

    /** The factor inside swish, x·sigmoid(factor·x), the slope of negative values, or the factor itself. */
    static float factor(PostOp.Kind kind) {
        return switch (kind) {
            case QUICK_GELU -> 1.702f;
            case LEAKY_RELU, FIFTH -> 0.2f;
            case RELU -> 0;
            default -> 1;
        };
    }

    /** Multiplies by a constant. */
    Attributes scale(float factor) {
        OneDnn.check(dnnl.dnnl_post_ops_append_eltwise(postOps, dnnl.dnnl_eltwise_linear, factor, 0), "appending a factor");
        operands.add(null);
        return this;
    }

    Attributes add(dnnl_memory_desc desc, dnnl_memory operand) {
        return binary(dnnl.dnnl_binary_add, desc, operand);
    }

    Attributes multiply(dnnl_memory_desc desc, dnnl_memory operand) {
        return binary(dnnl.dnnl_binary_mul, desc, operand);
    }

    private Attributes binary(int algorithm, dnnl_memory_desc desc, dnnl_memory operand) {
        OneDnn.check(dnnl.dnnl_post_ops_append_binary(postOps, algorithm, desc), "appending an operand");
        operands.add(operand);
        return this;
    }

    dnnl_primitive_attr finish() {
        OneDnn.check(dnnl.dnnl_primitive_attr_set_post_ops(attr, postOps), "setting post-ops");
        return attr;
    }

    /** Adds the operands to a primitive's arguments. */
    void bind(Primitive primitive) {
        for (int i = 0; i < operands.size(); i++) {
            if (operands.get(i) != null) {
                primitive.argument(dnnl.DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE * (i + 1) | dnnl.DNNL_ARG_SRC_1, operands.get(i));
            }
        }
    }
}
