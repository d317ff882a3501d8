package kiln.runtime.noise;

/** Which program's random numbers a seed stands for. */
public enum NoiseKind {
    /** torch's generator on the CPU. */
    CPU,
    /** CUDA's Philox as A1111's source "NV" emulates it: equal to a card with a thread for each number. */
    NV,
    /** torch's generator on a card, whose numbers depend on the card: see {@link CardProfile}. */
    GPU
}
