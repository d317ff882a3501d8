package kiln.runtime.noise;

import java.util.Objects;
import kiln.runtime.base.KilnException;

/**
 * Where a request's random numbers come from.
 *
 * @param card counts for {@link NoiseKind#GPU} only
 * @param etaNoiseSeedDelta added to the seed for all draws after the first (NovelAI: 31337); 0 for none
 * @param variationSeed first picture's seed of a second noise that is mixed into the first ("subseed")
 * @param variationStrength how much of it: 0 none, 1 all
 * @param resizeFromWidth with the height, the size in pixels at which the seed gave a picture like the one wanted; 0 for none
 */
public record NoiseOptions(
        NoiseKind kind,
        CardProfile card,
        long etaNoiseSeedDelta,
        long variationSeed,
        double variationStrength,
        int resizeFromWidth,
        int resizeFromHeight) {
    public static final NoiseOptions DEFAULTS = of(NoiseKind.CPU);

    private static final double MOST_STRENGTH = 100;
    private static final int MOST_PIXELS = 65_536;

    public NoiseOptions {
        Objects.requireNonNull(kind, "kind");
        Objects.requireNonNull(card, "card");
        if (!(variationStrength >= 0 && variationStrength <= MOST_STRENGTH)) {
            throw KilnException.badRequest("variation seed strength " + variationStrength + " is outside 0 to " + MOST_STRENGTH);
        }
        if (resizeFromWidth > MOST_PIXELS || resizeFromHeight > MOST_PIXELS) {
            throw KilnException.badRequest("seed resize from " + resizeFromWidth + "x" + resizeFromHeight + " is too large");
        }
    }

    /** Plain noise of that kind. */
    public static NoiseOptions of(NoiseKind kind) {
        return new NoiseOptions(kind, CardProfile.USUAL, 0, 0, 0, 0, 0);
    }

    boolean varies() {
        return variationStrength != 0;
    }

    boolean resizes() {
        return resizeFromWidth > 0 && resizeFromHeight > 0;
    }

    /**
     * The seeds of a request's pictures {@code first} to {@code first + count - 1}, counted over all its batches: each the next number,
     * but all the same where the variation seeds make the difference.
     */
    public long[] seeds(long seed, int first, int count) {
        long[] seeds = new long[count];
        for (int i = 0; i < count; i++) {
            seeds[i] = varies() ? seed : seed + first + i;
        }
        return seeds;
    }

    /** The variation seeds of the same pictures. */
    public long[] variationSeeds(int first, int count) {
        long[] seeds = new long[count];
        for (int i = 0; i < count; i++) {
            seeds[i] = variationSeed + first + i;
        }
        return seeds;
    }

    NoiseSource source(long seed) {
        return NoiseSource.of(kind, card, seed);
    }
}
