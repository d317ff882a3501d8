package kiln.runtime.sampling;

/** Hears of each sampler step when it is done, on the thread that samples. */
@FunctionalInterface
public interface StepListener {
    /**
     * @param step from 1 to {@code steps}
     * @param steps how many there are in this run; with samplers over timesteps and with some schedules not the number asked for, with
     *     DPM adaptive a guess that grows
     * @param sigma noise level that the step started from
     * @param denoised the step's estimate of the finished latent, {@code [batch, channels, h, w]}; the listener may keep it
     */
    void step(int step, int steps, float sigma, float[] denoised);
}
