package kiln.runtime.sampling;

/** One guided evaluation of the network: both halves run and combined by the CFG scale. */
@FunctionalInterface
public interface EpsModel {
    /**
     * The predicted noise for a batch. Called one at a time, on the thread that samples.
     *
     * @param x the network's input, {@code [batch, 4, h, w]}; not to be written to or kept
     * @param timestep 0 to 999, may lie between two whole steps
     * @return as long as {@code x}; the sampler reads it before the next call and does not keep it
     * @throws kiln.runtime.base.KilnException {@code CANCELLED} when the job was cancelled meanwhile
     */
    float[] eps(float[] x, float timestep);
}
