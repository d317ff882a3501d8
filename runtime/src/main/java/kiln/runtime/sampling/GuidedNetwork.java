package kiln.runtime.sampling;

/** One guided evaluation of the network: both halves run and combined by the CFG scale. */
@FunctionalInterface
public interface GuidedNetwork {
    /**
     * What the network says to a batch, in whatever {@link Prediction} it was trained for. Called one at a time, on the thread that
     * samples.
     *
     * @param input {@code [batch, channels, h, w]}, scaled as the network expects it; not to be written to or kept
     * @param timestep 0 to 999, may lie between two whole steps
     * @param level what guidance that depends on the noise compares: sigma, but the timestep under a sampler that walks timesteps
     * @throws kiln.runtime.base.KilnException {@code CANCELLED} when the job was cancelled meanwhile
     */
    GuidedOutput predict(float[] input, float timestep, float level);
}
