package kiln.runtime.sampling;

import kiln.runtime.base.Bounds;
import kiln.runtime.base.KilnException;

/**
 * A1111's settings that change a schedule's noise levels.
 *
 * @param sigmaMin least level of the schedules that take a range; 0 for the model's own
 * @param sigmaMax highest level of these; 0 for the model's own
 * @param rho power of Karras and Polyexponential; 0 for the schedule's own
 * @param betaAlpha first parameter of the distribution behind {@link Schedule#BETA}
 * @param betaBeta second parameter of it
 * @param discardNextToLast leaves out the level before the last with every sampler (some do so anyway)
 * @param oldKarrasRange 0.1 to 10 as range, as A1111 had it until 2023
 * @param quantize levels count as the nearest whole timestep
 */
public record LevelOptions(
        double sigmaMin,
        double sigmaMax,
        double rho,
        double betaAlpha,
        double betaBeta,
        boolean discardNextToLast,
        boolean oldKarrasRange,
        boolean quantize) {
    public static final LevelOptions DEFAULTS = new LevelOptions(0, 0, 0, 0.6, 0.6, false, false, false);

    private static final double HIGHEST_SIGMA = 1000;
    private static final double HIGHEST_RHO = 100;
    private static final double LEAST_SHAPE = 0.01;
    private static final double HIGHEST_SHAPE = 100;
    private static final float OLD_MIN = 0.1f;
    private static final float OLD_MAX = 10;

    public LevelOptions {
        Bounds.check("sigma_min", sigmaMin, 0, HIGHEST_SIGMA);
        Bounds.check("sigma_max", sigmaMax, 0, HIGHEST_SIGMA);
        Bounds.check("rho", rho, 0, HIGHEST_RHO);
        Bounds.check("beta_dist_alpha", betaAlpha, LEAST_SHAPE, HIGHEST_SHAPE);
        Bounds.check("beta_dist_beta", betaBeta, LEAST_SHAPE, HIGHEST_SHAPE);
    }

    /** Refuses a range that leaves no level of a model between its ends. */
    void check(ModelSampling model) {
        if (!(min(model) < max(model))) {
            throw KilnException.badRequest("sigma_min " + min(model) + " is not below sigma_max " + max(model));
        }
    }

    float min(ModelSampling model) {
        if (sigmaMin != 0) {
            return (float) sigmaMin;
        }
        return oldKarrasRange ? OLD_MIN : model.sigmaMin();
    }

    float max(ModelSampling model) {
        if (sigmaMax != 0) {
            return (float) sigmaMax;
        }
        return oldKarrasRange ? OLD_MAX : model.sigmaMax();
    }

    float rho(float usual) {
        return rho != 0 ? (float) rho : usual;
    }
}
