package kiln.runtime.graph;

/** A checkpoint's tensors do not make the network that was to be built; the message names the tensor. */
public final class ModelException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public ModelException(String message) {
        super(message);
    }
}
