package kiln.runtime.base;

/** How much of a model may stay in the card's memory; the planner may always go lower when memory is short. */
public enum MemoryMode {
    /** As much as fits. */
    AUTO,
    /** A1111's {@code --medvram}: text encoder, denoiser and decoder take turns. */
    MEDVRAM,
    /** A1111's {@code --lowvram}: as MEDVRAM, and the denoiser's weights are streamed at each step. */
    LOWVRAM
}
