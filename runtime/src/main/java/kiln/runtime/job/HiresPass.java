package kiln.runtime.job;

import java.util.Objects;
import kiln.runtime.base.Bounds;
import kiln.runtime.sampling.SamplerChoice;

/**
 * A second pass over a picture at a larger size (A1111's "hires fix"). What is empty or 0 is as in the first pass.
 *
 * @param scale of the first size, where {@code width} and {@code height} are both 0
 * @param width wanted, in pixels; 0 follows from the height
 * @param height wanted, in pixels; 0 follows from the width
 * @param steps that the second pass makes, whatever the strength
 * @param denoisingStrength 0 keeps the enlarged picture, 1 draws anew
 */
public record HiresPass(
        String upscaler,
        double scale,
        int width,
        int height,
        int steps,
        double denoisingStrength,
        String sampler,
        String schedule,
        String prompt,
        String negativePrompt,
        double cfgScale) {
    private static final double MOST_SCALE = 16;

    public HiresPass {
        Objects.requireNonNull(upscaler, "upscaler");
        Objects.requireNonNull(sampler, "sampler");
        Objects.requireNonNull(schedule, "schedule");
        Objects.requireNonNull(prompt, "prompt");
        Objects.requireNonNull(negativePrompt, "negativePrompt");
        Bounds.check("hires scale", scale, 1 / MOST_SCALE, MOST_SCALE);
        Bounds.check("hires width", width, 0, GenerationRequest.MAX_SIDE);
        Bounds.check("hires height", height, 0, GenerationRequest.MAX_SIDE);
        Bounds.check("hires steps", steps, 0, GenerationRequest.MAX_STEPS);
        Bounds.check("denoising strength", denoisingStrength, 0, 1);
        Bounds.check("hires CFG scale", cfgScale, 0, 100);
    }

    /** A1111's own presets. */
    public static HiresPass usual() {
        return new HiresPass("Latent", 2, 0, 0, 0, 0.7, "", "", "", "", 0);
    }

    /** The same, so many times larger. */
    public HiresPass enlarging(double times) {
        return new HiresPass(upscaler, times, 0, 0, steps, denoisingStrength, sampler, schedule, prompt, negativePrompt, cfgScale);
    }

    /** What is drawn with in the second pass. */
    public SamplerChoice choice(GenerationRequest request) {
        return SamplerChoice.find(sampler.isEmpty() ? request.sampler() : sampler, schedule.isEmpty() ? request.schedule() : schedule);
    }

    public int stepsAfter(GenerationRequest request) {
        return steps == 0 ? request.steps() : steps;
    }
}
