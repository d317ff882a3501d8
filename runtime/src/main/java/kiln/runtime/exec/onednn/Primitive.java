package kiln.runtime.exec.onednn;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.dnnl.dnnl_exec_arg_t;
import org.bytedeco.dnnl.dnnl_memory;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_primitive;
import org.bytedeco.dnnl.dnnl_primitive_desc;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerPointer;

/** A oneDNN primitive with its arguments, ready to run. */
final class Primitive implements Runnable {
    private final String name;
    private final dnnl_primitive_desc description;
    private final dnnl_primitive primitive = new dnnl_primitive();
    private final List<Integer> keys = new ArrayList<>();
    private final List<dnnl_memory> memories = new ArrayList<>();
    private dnnl_exec_arg_t arguments;

    /** The description has been filled by one of oneDNN's …_primitive_desc_create. */
    Primitive(Handles handles, String name, dnnl_primitive_desc description) {
        this.name = name;
        this.description = handles.own(description);
        OneDnn.check(dnnl.dnnl_primitive_create(primitive, description), "creating " + name);
        handles.own(primitive);
        handles.own((AutoCloseable) () -> {
            if (arguments != null) {
                arguments.deallocate();
            }
        });
    }

    Primitive argument(int key, dnnl_memory memory) {
        keys.add(key);
        memories.add(memory);
        return this;
    }

    /** The layout that the primitive chose where "any" was given; owned by the primitive. */
    dnnl_memory_desc layout(int query) {
        return dnnl.dnnl_primitive_desc_query_md(description, query, 0);
    }

    long scratchBytes() {
        dnnl_memory_desc desc = layout(dnnl.dnnl_query_scratchpad_md);
        return desc == null || desc.isNull() ? 0 : dnnl.dnnl_memory_desc_get_size(desc);
    }

    /** Name of the implementation that oneDNN chose. */
    String implementation() {
        try (PointerPointer<BytePointer> text = new PointerPointer<>(1)) {
            OneDnn.check(dnnl.dnnl_primitive_desc_query(description, dnnl.dnnl_query_impl_info_str, 0, text), "asking " + name);
            return text.get(BytePointer.class).getString();
        }
    }

    @Override
    public void run() {
        if (arguments == null) {
            arguments = new dnnl_exec_arg_t(keys.size());
            for (int i = 0; i < keys.size(); i++) {
                arguments.position(i).arg(keys.get(i)).memory(memories.get(i));
            }
            arguments.position(0);
        }
        OneDnn.check(dnnl.dnnl_primitive_execute(primitive, OneDnn.stream(), keys.size(), arguments), "running " + name);
    }
}
