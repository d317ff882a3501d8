package kiln.runtime.noise;

import java.util.Arrays;

/**
 * The noise of SDE samplers for a batch: increments of one Brownian motion an image over the noise levels, normalised by the root of
 * their length (k-diffusion's BrownianTreeNoiseSampler). Each image's motion depends on its seed alone.
 *
 * <p>Not for several threads at once.
 */
public final class BrownianNoise {
    private final BrownianTree[] trees;
    private final int size;

    /**
     * @param seeds one for each image of the batch, in its order; neither variation seeds nor the eta noise seed delta count
     * @param size numbers of one image's latent
     * @param sigmaMin lowest level above 0 that the run's schedule has
     * @param sigmaMax highest one
     */
    public BrownianNoise(NoiseOptions options, long[] seeds, int size, float sigmaMin, float sigmaMax) {
        if (!(sigmaMin <= sigmaMax)) {
            throw new IllegalArgumentException("levels from " + sigmaMin + " to " + sigmaMax);
        }
        this.size = size;
        trees = new BrownianTree[seeds.length];
        for (int image = 0; image < seeds.length; image++) {
            trees[image] = new BrownianTree(options, seeds[image], size, sigmaMin, sigmaMax);
        }
    }

    /**
     * The noise of a step between two levels.
     *
     * @param target {@code [batch, channels, height, width]}, overwritten; zeros when the levels are the same to six digits
     */
    public void fill(float[] target, float sigma, float nextSigma) {
        if (target.length != trees.length * size) {
            throw new IllegalArgumentException(target.length + " numbers for " + trees.length + " images of " + size);
        }
        Arrays.fill(target, 0);
        float length = Math.abs(nextSigma - sigma);
        // Time runs with the level, and a step goes against it.
        float by = (float) ((sigma < nextSigma ? 1 : -1) / Math.sqrt(length));
        for (int image = 0; image < trees.length && length > 0; image++) {
            trees[image].add(Math.min(sigma, nextSigma), Math.max(sigma, nextSigma), by, target, image * size);
        }
    }
}
