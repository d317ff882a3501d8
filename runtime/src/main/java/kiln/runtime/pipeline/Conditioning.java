package kiln.runtime.pipeline;

/**
 * A prompt as the denoiser reads it: {@code [tokens, width]}, all of its chunks one after another.
 *
 * @param tokens a multiple of a chunk's
 */
record Conditioning(float[] context, int tokens) {}
