package kiln.runtime.base;

/** The number format in which a card keeps weights. */
public enum WeightFormat {
    F16,
    /** 8-bit integers with one scale for each output channel, for matrices and convolutions; the rest as F16. */
    INT8,
    F32
}
