package kiln.runtime.exec.onednn;

import org.bytedeco.dnnl.dnnl_memory;
import org.bytedeco.dnnl.dnnl_memory_desc;

/** Some rows of a map in memory, as a primitive reads or writes them. */
record Rows(dnnl_memory_desc layout, dnnl_memory memory) {}
