package kiln.runtime.sampling;

import kiln.runtime.base.Bounds;
import kiln.runtime.base.KilnException;

/**
 * How a run begins from a picture's latent in place of noise alone (img2img, the second pass of hires fix).
 *
 * @param strength denoising strength, 0 (keep the latent) to 1
 * @param fixedSteps steps that are really walked, whatever the strength, over a schedule that is made longer to match: the second pass
 *     of hires fix, and A1111's {@code img2img_fix_steps}; 0 to walk only the strength's part of a request's steps
 * @param noiseMultiplier factor of the first noise ({@code initial_noise_multiplier})
 * @param extraNoise part of the first noise that is added once more ({@code img2img_extra_noise})
 */
public record ImageStart(double strength, int fixedSteps, double noiseMultiplier, double extraNoise) {
    /** Full strength is a hair less, so that something of the latent stays. */
    private static final double MOST_STRENGTH = 0.999;

    private static final double MOST_MULTIPLIER = 10;
    private static final int MOST_SCHEDULE_STEPS = 1_000_000;

    public ImageStart {
        Bounds.check("denoising strength", strength, 0, 1);
        Bounds.check("steps", fixedSteps, 0, SamplingPlan.MAX_STEPS);
        Bounds.check("initial_noise_multiplier", noiseMultiplier, 0, MOST_MULTIPLIER);
        Bounds.check("img2img_extra_noise", extraNoise, 0, MOST_MULTIPLIER);
    }

    /** The strength's part of a request's steps. */
    public static ImageStart of(double strength) {
        return new ImageStart(strength, 0, 1, 0);
    }

    /** So many steps at that strength. */
    public static ImageStart ofSteps(double strength, int steps) {
        return new ImageStart(strength, steps, 1, 0);
    }

    /** For how many steps the schedule is made. */
    int scheduleSteps(int steps) {
        if (fixedSteps == 0) {
            return steps;
        }
        double longer = strength > 0 ? fixedSteps / Math.min(strength, MOST_STRENGTH) : 0;
        if (longer > MOST_SCHEDULE_STEPS) {
            throw KilnException.badRequest(
                    fixedSteps + " steps at denoising strength " + strength + " need a schedule of " + (long) longer + " steps; "
                            + MOST_SCHEDULE_STEPS + " are possible: raise the strength");
        }
        return (int) longer;
    }

    /** Steps from the first level to the last but one. */
    int encodedSteps(int steps) {
        return fixedSteps > 0 ? fixedSteps - 1 : (int) (Math.min(strength, MOST_STRENGTH) * steps);
    }
}
