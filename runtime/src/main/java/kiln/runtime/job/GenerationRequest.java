package kiln.runtime.job;

import java.nio.file.Path;
import java.util.Objects;
import kiln.runtime.base.KilnException;
import kiln.runtime.noise.NoiseKind;
import kiln.runtime.sampling.Sampling;

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
 * @param clipSkip 1 = the text encoder's last layer, 2 = the one before
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
        int clipSkip,
        NoiseKind noise) {
    public static final int MAX_SIDE = 4096;
    public static final int MAX_STEPS = Sampling.MAX_STEPS;
    public static final int MAX_PROMPT_CHARACTERS = 100_000;

    public GenerationRequest {
        Objects.requireNonNull(prompt, "prompt");
        Objects.requireNonNull(negativePrompt, "negativePrompt");
        Objects.requireNonNull(sampler, "sampler");
        Objects.requireNonNull(schedule, "schedule");
        Objects.requireNonNull(noise, "noise");
        checkPrompt("prompt", prompt);
        checkPrompt("negative prompt", negativePrompt);
        checkSide("width", width);
        checkSide("height", height);
        checkRange("steps", steps, 1, MAX_STEPS);
        checkRange("batch size", batchSize, 1, 64);
        checkRange("batch count", batchCount, 1, 10_000);
        checkRange("clip skip", clipSkip, 1, 12);
        if (!(cfgScale >= 0 && cfgScale <= 100)) {
            throw KilnException.badRequest("cfg scale " + cfgScale + " is outside 0 to 100");
        }
        if (seed < -1) {
            throw KilnException.badRequest("seed " + seed + " is negative: give 0 or more, or -1 for a random one");
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
        private int clipSkip = 1;
        private NoiseKind noise = NoiseKind.CPU;

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
            clipSkip = from.clipSkip;
            noise = from.noise;
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

        public Builder clipSkip(int value) {
            clipSkip = value;
            return this;
        }

        public Builder noise(NoiseKind value) {
            noise = value;
            return this;
        }

        public GenerationRequest build() {
            return new GenerationRequest(
                    model, prompt, negativePrompt, sampler, schedule, steps, cfgScale, seed, width, height, batchSize, batchCount,
                    clipSkip, noise);
        }
    }
}
