package kiln.runtime.exec.onednn;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.dnnl.dnnl_memory;
import org.bytedeco.dnnl.dnnl_memory_desc;
import org.bytedeco.dnnl.dnnl_primitive;
import org.bytedeco.dnnl.dnnl_primitive_attr;
import org.bytedeco.dnnl.dnnl_primitive_desc;
import org.bytedeco.dnnl.global.dnnl;

/** Owns oneDNN's objects and destroys them together, the newest first. */
final class Handles implements AutoCloseable {
    private final List<Runnable> destructors = new ArrayList<>();

    dnnl_memory_desc own(dnnl_memory_desc handle) {
        destructors.add(() -> dnnl.dnnl_memory_desc_destroy(handle));
        return handle;
    }

    dnnl_memory own(dnnl_memory handle) {
        destructors.add(() -> dnnl.dnnl_memory_destroy(handle));
        return handle;
    }

    dnnl_primitive own(dnnl_primitive handle) {
        destructors.add(() -> dnnl.dnnl_primitive_destroy(handle));
        return handle;
    }

    dnnl_primitive_desc own(dnnl_primitive_desc handle) {
        destructors.add(() -> dnnl.dnnl_primitive_desc_destroy(handle));
        return handle;
    }

    dnnl_primitive_attr own(dnnl_primitive_attr handle) {
        destructors.add(() -> dnnl.dnnl_primitive_attr_destroy(handle));
        return handle;
    }

    void own(AutoCloseable closeable) {
        destructors.add(() -> {
            try {
                closeable.close();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
    }

    @Override
    public void close() {
        for (int i = destructors.size() - 1; i >= 0; i--) {
            destructors.get(i).run();
        }
        destructors.clear();
    }
}
