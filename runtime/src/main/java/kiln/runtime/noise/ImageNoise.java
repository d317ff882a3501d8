package kiln.runtime.noise;

/**
 * All random numbers of a batch of images but those of Brownian motions, as A1111's ImageRNG draws them. Each image has its own
 * generator, so it comes out the same in any batch; with an eta noise seed delta the generators are replaced after the first draw by
 * those of seed + delta.
 *
 * <p>Not for several threads at once.
 */
public final class ImageNoise {
    private static final int PIXELS_OF_LATENT = 8;

    private final NoiseOptions options;
    private final long[] seeds;
    private final long[] variationSeeds;
    private final LatentShape shape;
    private final NoiseSource[] sources;
    private boolean drawn;
    private int skipped;

    /**
     * @param seeds one for each image of the batch, in its order
     * @param variationSeeds as many, or fewer: 0 stands in for missing ones
     * @param shape of one image's latent
     */
    public ImageNoise(NoiseOptions options, long[] seeds, long[] variationSeeds, LatentShape shape) {
        if (seeds.length == 0) {
            throw new IllegalArgumentException("a batch has at least one image");
        }
        this.options = options;
        this.seeds = seeds.clone();
        this.variationSeeds = variationSeeds.clone();
        this.shape = shape;
        sources = new NoiseSource[seeds.length];
        for (int image = 0; image < seeds.length; image++) {
            sources[image] = options.source(seeds[image]);
        }
    }

    /** Numbers of a draw: all images' latents. */
    private int length() {
        return seeds.length * shape.size();
    }

    /**
     * The next draw: the start of the picture at first, then what a sampler adds in its steps, in the order of its asking.
     *
     * @param target {@code [batch, channels, height, width]} of the latent, filled with standard normal numbers
     */
    public void next(float[] target) {
        if (target.length != length()) {
            throw new IllegalArgumentException(target.length + " numbers for " + seeds.length + " images of " + shape.size());
        }
        for (; skipped > 0; skipped--) {
            draw(target);
        }
        draw(target);
    }

    /** Passes over a draw. It is made up for only where another follows, since mostly none does. */
    public void skip() {
        skipped++;
    }

    private void draw(float[] target) {
        int count = shape.size();
        for (int image = 0; image < sources.length; image++) {
            if (drawn) {
                sources[image].fill(target, image * count, count);
            } else {
                first(image, target, image * count);
                if (options.etaNoiseSeedDelta() != 0) {
                    sources[image] = options.source(seeds[image] + options.etaNoiseSeedDelta());
                }
            }
        }
        drawn = true;
    }

    private void first(int image, float[] target, int offset) {
        LatentShape drawnShape = options.resizes()
                ? new LatentShape(
                        shape.channels(), options.resizeFromHeight() / PIXELS_OF_LATENT, options.resizeFromWidth() / PIXELS_OF_LATENT)
                : shape;
        boolean resized = !drawnShape.equals(shape);
        // At another size the noise comes from a generator of its own, and the image's draws the canvas that it is pasted into.
        sources[image].fill(target, offset, shape.size());
        if (!resized && !options.varies()) {
            return;
        }
        float[] noise = new float[drawnShape.size()];
        if (resized) {
            options.source(seeds[image]).fill(noise);
        } else {
            System.arraycopy(target, offset, noise, 0, noise.length);
        }
        if (options.varies()) {
            float[] variation = new float[noise.length];
            options.source(image < variationSeeds.length ? variationSeeds[image] : 0).fill(variation);
            Slerp.mix(noise, variation, options.variationStrength(), drawnShape);
        }
        paste(noise, drawnShape, target, offset);
    }

    /** Lays the middle of {@code noise} over the middle of the canvas. */
    private void paste(float[] noise, LatentShape from, float[] target, int offset) {
        int dx = Math.floorDiv(shape.width() - from.width(), 2);
        int dy = Math.floorDiv(shape.height() - from.height(), 2);
        int width = dx >= 0 ? from.width() : from.width() + 2 * dx;
        int height = dy >= 0 ? from.height() : from.height() + 2 * dy;
        for (int c = 0; c < shape.channels(); c++) {
            for (int y = 0; y < height; y++) {
                int source = (c * from.height() + y + Math.max(-dy, 0)) * from.width() + Math.max(-dx, 0);
                int row = (c * shape.height() + y + Math.max(dy, 0)) * shape.width() + Math.max(dx, 0);
                System.arraycopy(noise, source, target, offset + row, width);
            }
        }
    }
}
