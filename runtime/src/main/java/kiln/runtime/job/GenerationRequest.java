package kiln.runtime.job;

import java.nio.file.Path;
import java.util.Objects;
import java.util.function.LongSupplier;
import kiln.runtime.base.KilnException;
import kiln.runtime.noise.CardProfile;
import kiln.runtime.noise.NoiseKind;
import kiln.runtime.noise.NoiseOptions;
import kiln.runtime.sampling.SamplingPlan;

/**
 * Everything that decides a picture, complete and immutable: the PNG's parameters are written from it, never from a screen's state.
 *
 * @param model the checkpoint; {@code null} for the engine's default
 * @param sampler label or alias as A1111 knows it ("Euler a", "k_euler_a"), any case
 * @param schedule label or name ("Automatic", "karras"), any case
 * @param seed 0…2³²−1 and beyond; −1 draws one
 * @param width pixels, a multiple of 8 (as is {@code height})
 * @param batchSize pictures computed together
 * @param batchCount how many such batches; picture i of the job has seed + i
 * @param variation of the first noise
 * @param settings all that has a name among A1111's options
 * @param init a picture to begin from; {@code null} begins from noise
 * @param hires a second, larger pass; {@code null} for none
 */
public record GenerationRequest(
        Path model,
        String prompt,
        String negativePrompt,
        String sampler,
        String schedule,
        int steps,
        double cfgScale,
        long seed,
        int width,
        int height,
        int batchSize,
        int batchCount,
        Variation variation,
        Settings settings,
        InitPicture init,
        HiresPass hires) {
    /**
     * What changes the noise that the seed gives.
     *
     * @param seed of a second noise that is mixed into the first ("subseed", "variation seed"); −1 draws one
     * @param strength how much of it: 0 none, 1 all
     * @param resizeFromWidth with the height, the size in pixels at which the seed gave a picture like the one wanted; 0 for none
     */
    public record Variation(long seed, double strength, int resizeFromWidth, int resizeFromHeight) {
        public static final Variation NONE = new Variation(-1, 0, 0, 0);

        public Variation {
            checkSeed("variation seed", seed);
            // Refuses what is impossible.
            new NoiseOptions(NoiseKind.CPU, CardProfile.USUAL, 0, seed, strength, resizeFromWidth, resizeFromHeight);
        }
    }

    public static final int MAX_SIDE = 4096;
    public static final int MAX_STEPS = SamplingPlan.MAX_STEPS;
    public static final int MAX_PROMPT_CHARACTERS = 100_000;

    public GenerationRequest {
        Objects.requireNonNull(prompt, "prompt");
        Objects.requireNonNull(negativePrompt, "negativePrompt");
        Objects.requireNonNull(sampler, "sampler");
        Objects.requireNonNull(schedule, "schedule");
        Objects.requireNonNull(variation, "variation");
        Objects.requireNonNull(settings, "settings");
        checkPrompt("prompt", prompt);
        checkPrompt("negative prompt", negativePrompt);
        checkSide("width", width);
        checkSide("height", height);
        checkRange("steps", steps, 1, MAX_STEPS);
        checkRange("batch size", batchSize, 1, 64);
        checkRange("batch count", batchCount, 1, 10_000);
        if (!(cfgScale >= 0 && cfgScale <= 100)) {
            throw KilnException.badRequest("cfg scale " + cfgScale + " is outside 0 to 100");
        }
        checkSeed("seed", seed);
        if (init != null && hires != null) {
            throw KilnException.badRequest("a request that begins from a picture has no hires pass: give it the larger size");
        }
    }

    private static void checkSeed(String name, long seed) {
        if (seed < -1) {
            throw KilnException.badRequest(name + " " + seed + " is negative: give 0 or more, or -1 for a random one");
        }
    }

    private static void checkPrompt(String name, String text) {
        if (text.length() > MAX_PROMPT_CHARACTERS) {
            throw KilnException.badRequest(
                    "the " + name + " has " + text.length() + " characters: at most " + MAX_PROMPT_CHARACTERS + " are taken");
        }
    }

    private static void checkSide(String name, int pixels) {
        if (pixels < 8 || pixels > MAX_SIDE || pixels % 8 != 0) {
            int nearest = Math.max(8, Math.min(MAX_SIDE, Math.round(pixels / 8f) * 8));
            throw KilnException.badRequest(
                    name + " " + pixels + " is not a multiple of 8 between 8 and " + MAX_SIDE + ": the nearest is " + nearest);
        }
    }

    private static void checkRange(String name, int value, int least, int most) {
        if (value < least || value > most) {
            throw KilnException.badRequest(name + " " + value + " is outside " + least + " to " + most);
        }
    }

    /** How many pictures the whole job makes. */
    public int pictureCount() {
        return batchSize * batchCount;
    }

    /** Layers of the text encoder that are left out, and one more: 1 is its last layer. */
    public int clipSkip() {
        return (int) settings.whole(Setting.CLIP_SKIP);
    }

    /** Where its random numbers come from. */
    public NoiseOptions noise() {
        return new NoiseOptions(
                settings.noiseKind(),
                settings.noiseCard(),
                settings.whole(Setting.ETA_NOISE_SEED_DELTA),
                variation.seed,
                variation.strength,
                variation.resizeFromWidth,
                variation.resizeFromHeight);
    }

    /** The same with every seed that is to be drawn filled in. */
    public GenerationRequest seeded(LongSupplier seeds) {
        Variation filled = variation.seed < 0 && variation.strength != 0
                ? new Variation(seeds.getAsLong(), variation.strength, variation.resizeFromWidth, variation.resizeFromHeight)
                : variation;
        return toBuilder().seed(seed < 0 ? seeds.getAsLong() : seed).variation(filled).build();
    }

    public static Builder builder() {
        return new Builder();
    }

    public Builder toBuilder() {
        return new Builder(this);
    }

    /** Collects a request's values, starting from A1111's defaults; {@link #build()} validates them. */
    public static final class Builder {
        private Path model;
        private String prompt = "";
        private String negativePrompt = "";
        private String sampler = "Euler a";
        private String schedule = "Automatic";
        private int steps = 20;
        private double cfgScale = 7;
        private long seed = -1;
        private int width = 512;
        private int height = 512;
        private int batchSize = 1;
        private int batchCount = 1;
        private Variation variation = Variation.NONE;
        private Settings settings = Settings.USUAL;
        private InitPicture init;
        private HiresPass hires;

        private Builder() {}

        private Builder(GenerationRequest from) {
            model = from.model;
            prompt = from.prompt;
            negativePrompt = from.negativePrompt;
            sampler = from.sampler;
            schedule = from.schedule;
            steps = from.steps;
            cfgScale = from.cfgScale;
            seed = from.seed;
            width = from.width;
            height = from.height;
            batchSize = from.batchSize;
            batchCount = from.batchCount;
            variation = from.variation;
            settings = from.settings;
            init = from.init;
            hires = from.hires;
        }

        public Builder model(Path value) {
            model = value;
            return this;
        }

        public Builder prompt(String value) {
            prompt = value;
            return this;
        }

        public Builder negativePrompt(String value) {
            negativePrompt = value;
            return this;
        }

        public Builder sampler(String value) {
            sampler = value;
            return this;
        }

        public Builder schedule(String value) {
            schedule = value;
            return this;
        }

        public Builder steps(int value) {
            steps = value;
            return this;
        }

        public Builder cfgScale(double value) {
            cfgScale = value;
            return this;
        }

        public Builder seed(long value) {
            seed = value;
            return this;
        }

        public Builder width(int value) {
            width = value;
            return this;
        }

        public Builder height(int value) {
            height = value;
            return this;
        }

        public Builder batchSize(int value) {
            batchSize = value;
            return this;
        }

        public Builder batchCount(int value) {
            batchCount = value;
            return this;
        }

        public Builder variation(Variation value) {
            variation = value;
            return this;
        }

        public Builder settings(Settings value) {
            settings = value;
            return this;
        }

        public Builder init(InitPicture value) {
            init = value;
            return this;
        }

        public Builder hires(HiresPass value) {
            hires = value;
            return this;
        }

        /** One of the settings. */
        public Builder set(Setting setting, Object value) {
            settings = settings.with(setting, value);
            return this;
        }

        public Builder clipSkip(int value) {
            return set(Setting.CLIP_SKIP, value);
        }

        public Builder noise(NoiseKind value) {
            return set(Setting.NOISE_SOURCE, value.name());
        }

        /** Whatever the sampler. */
        public Builder eta(double value) {
            return set(Setting.ETA_ANCESTRAL, value).set(Setting.ETA_DDIM, value);
        }

        public GenerationRequest build() {
            return new GenerationRequest(
                    model, prompt, negativePrompt, sampler, schedule, steps, cfgScale, seed, width, height, batchSize, batchCount,
                    variation, settings, init, hires);
        }
    }
}
