package kiln.runtime.base;

/** How a card computes attention. All kinds give the same picture within rounding; they differ in speed and memory. */
public enum AttentionKind {
    /** By card and shape. */
    AUTO,
    /** Never more than a tile of the scores at a time: what xformers and torch's scaled-dot-product attention do. */
    MEMORY_EFFICIENT,
    /** Slices of the queries, as large as free memory allows. */
    SPLIT,
    /** Slices of batch × heads. */
    SPLIT_V1,
    /** All scores at once. */
    WHOLE
}
