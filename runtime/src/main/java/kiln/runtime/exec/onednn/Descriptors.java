package kiln.runtime.exec.onednn;

import kiln.runtime.graph.Shape;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.global.dnnl;

/** Memory descriptors in oneDNN's terms. The {@link Handles} given owns what is made. */
final class Descriptors {
    private Descriptors() {}

    /** A feature map {@code [batch, channels, height, width]}, stored channels last. */
    static dnnl_memory_desc image(Handles handles, Shape shape, NumberFormat format) {
        return tagged(handles, format, dnnl.dnnl_nhwc, shape.batch(), shape.channels(), shape.height(), shape.width());
    }

    /** The same memory as a matrix {@code [rows, channels]}. */
    static dnnl_memory_desc matrix(Handles handles, Shape shape, NumberFormat format) {
        return tagged(handles, format, dnnl.dnnl_ab, shape.rows(), shape.channels());
    }

    static dnnl_memory_desc vector(Handles handles, long length) {
        return tagged(handles, NumberFormat.F32, dnnl.dnnl_a, length);
    }

    /** A layout that the primitive chooses. */
    static dnnl_memory_desc any(Handles handles, NumberFormat format, long... dims) {
        return tagged(handles, format, dnnl.dnnl_format_tag_any, dims);
    }

    static dnnl_memory_desc tagged(Handles handles, NumberFormat format, int tag, long... dims) {
        dnnl_memory_desc desc = new dnnl_memory_desc();
        OneDnn.check(dnnl.dnnl_memory_desc_create_with_tag(desc, dims.length, dims, format.code(), tag), "describing memory");
        return handles.own(desc);
    }

    static dnnl_memory_desc strided(Handles handles, NumberFormat format, long[] dims, long[] strides) {
        dnnl_memory_desc desc = new dnnl_memory_desc();
        OneDnn.check(
                dnnl.dnnl_memory_desc_create_with_strides(desc, dims.length, dims, format.code(), strides), "describing memory");
        return handles.own(desc);
    }
}
