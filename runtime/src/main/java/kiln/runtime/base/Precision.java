package kiln.runtime.base;

/** The number format that a network's activations and weights are computed in; {@code AUTO} lets the executor choose by machine. */
public enum Precision {
    AUTO,
    F32,
    BF16,
    F16
}
