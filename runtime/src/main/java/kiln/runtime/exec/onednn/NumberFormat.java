package kiln.runtime.exec.onednn;

import org.bytedeco.dnnl.global.dnnl;

/** The number formats of results in memory. */
enum NumberFormat {
    F32(4, dnnl.dnnl_f32),
    BF16(2, dnnl.dnnl_bf16);

    private final int bytes;
    private final int code;

    NumberFormat(int bytes, int code) {
        this.bytes = bytes;
        this.code = code;
    }

    int bytes() {
        return bytes;
    }

    int code() {
        return code;
    }
}
