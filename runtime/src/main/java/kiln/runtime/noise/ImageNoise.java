package kiln.runtime.noise;

import java.util.Arrays;

/**
 * All random numbers of a batch of images. Each image draws from its own generator, so it comes out the same in any batch; with an
 * "eta noise seed delta" (NovelAI: 31337) the generators are replaced after the first draw by those of seed + delta.
 *
 * <p>Not for several threads at once.
 */
public final class ImageNoise {
    private final NoiseSource[] sources;
    private final NoiseKind kind;
    private final long[] seeds;
    private final long etaNoiseSeedDelta;
    private boolean drawn;

    /** @param seeds one for each image of the batch, in its order */
    public ImageNoise(NoiseKind kind, long[] seeds, long etaNoiseSeedDelta) {
        if (seeds.length == 0) {
            throw new IllegalArgumentException("a batch has at least one image");
        }
        this.kind = kind;
        this.seeds = seeds.clone();
        this.etaNoiseSeedDelta = etaNoiseSeedDelta;
        sources = Arrays.stream(seeds).mapToObj(seed -> NoiseSource.of(kind, seed)).toArray(NoiseSource[]::new);
    }

    /**
     * The next draw: the start of the picture at first, then what a sampler adds in its steps, in the order of its asking.
     *
     * @param target {@code [batch, channels, height, width]} of the latent, filled with standard normal numbers
     */
    public void next(float[] target) {
        if (target.length % sources.length != 0) {
            throw new IllegalArgumentException(target.length + " numbers do not divide among " + sources.length + " images");
        }
        int count = target.length / sources.length;
        for (int image = 0; image < sources.length; image++) {
            sources[image].fill(target, image * count, count);
            if (!drawn && etaNoiseSeedDelta != 0) {
                sources[image] = NoiseSource.of(kind, seeds[image] + etaNoiseSeedDelta);
            }
        }
        drawn = true;
    }
}
