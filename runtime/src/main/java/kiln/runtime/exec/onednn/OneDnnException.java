package kiln.runtime.exec.onednn;

import org.bytedeco.dnnl.global.dnnl;

/** oneDNN refused a call; the message names it and the status. */
public final class OneDnnException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    OneDnnException(String what, int status) {
        super("oneDNN: " + what + " failed: " + name(status));
    }

    private static String name(int status) {
        if (status == dnnl.dnnl_invalid_arguments) {
            return "invalid arguments";
        }
        if (status == dnnl.dnnl_unimplemented) {
            return "not implemented";
        }
        if (status == dnnl.dnnl_runtime_error) {
            return "runtime error";
        }
        return "status " + status;
    }
}
