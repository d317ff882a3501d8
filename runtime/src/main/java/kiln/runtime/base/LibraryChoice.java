package kiln.runtime.base;

/** Who computes an operation that one of NVIDIA's libraries has as well. */
public enum LibraryChoice {
    /** What is faster on this card, the library only when it loads. */
    AUTO,
    /** Kiln's own kernel. */
    PTX,
    /** NVIDIA's library: cuBLAS for matrix products, cuDNN for convolutions. */
    NVIDIA
}
