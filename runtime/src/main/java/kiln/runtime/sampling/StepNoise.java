package kiln.runtime.sampling;

/**
 * The noise drawn while sampling: the random numbers that follow an image's first noise. All arrays are {@code [batch, channels, h, w]},
 * each image's part from that image's own generator.
 */
public interface StepNoise {
    /** Fills the array with standard normals, the next of the stream. */
    void fill(float[] target);

    /**
     * Passes over what {@link #fill} would give: samplers draw numbers that weigh nothing, and what comes next depends on it.
     *
     * @param count as long as the array would be
     */
    void skip(int count);

    /**
     * Fills the array with the normalised increment of a Brownian motion between two noise levels. Not part of the stream: the same
     * levels give the same numbers, parts add up to the whole.
     */
    void fillBetween(float[] target, float sigma, float nextSigma);
}
