package kiln.runtime.noise;

/** Which program's random numbers a seed stands for: torch's CPU generator, or CUDA's Philox as A1111's "NV" emulates it. */
public enum NoiseKind {
    CPU,
    NV
}
