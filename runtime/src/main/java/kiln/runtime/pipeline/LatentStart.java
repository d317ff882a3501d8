package kiln.runtime.pipeline;

/**
 * What a pass begins from in place of noise alone.
 *
 * @param latent {@code [batch, channels, height, width]} in the sampler's scale
 * @param kept for each number of {@code latent} how much of it stays, 0 to 1; {@code null} where all may change
 */
record LatentStart(float[] latent, float[] kept) {
    LatentStart {
        if (kept != null && kept.length != latent.length) {
            throw new IllegalArgumentException("mask of " + kept.length + " numbers, latent of " + latent.length);
        }
    }
}
