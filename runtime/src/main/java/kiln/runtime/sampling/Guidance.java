package kiln.runtime.sampling;

import kiln.runtime.base.Bounds;

/**
 * When a run does without its unconditional half, to save time (A1111's "Skip Early CFG" and "Negative Guidance minimum sigma").
 *
 * @param skipEarlyCfg part of the run, from its start, that is conditional only; 0 to 1
 * @param minSigma {@code s_min_uncond}: below this level every other call is conditional only; 0 for never
 * @param minSigmaAllCalls {@code s_min_uncond_all}: every call below it, not every other
 */
public record Guidance(double skipEarlyCfg, double minSigma, boolean minSigmaAllCalls) {
    /** Both halves at every call. */
    public static final Guidance FULL = new Guidance(0, 0, false);

    private static final double MOST_SIGMA = 1000;

    public Guidance {
        Bounds.check("skip_early_cond", skipEarlyCfg, 0, 1);
        Bounds.check("s_min_uncond", minSigma, 0, MOST_SIGMA);
    }

    /** Whether some calls may do without their unconditional half. */
    public boolean skips() {
        return skipEarlyCfg != 0 || minSigma != 0;
    }

    /**
     * Whether a call of the network needs its unconditional half; where not, its CFG scale is 1.
     *
     * @param call from 0, counted over the run
     * @param expectedCalls as {@link SamplingPlan#expectedCalls()} has it
     * @param level as {@link GuidedNetwork#predict} gets it
     */
    public boolean needsUnconditional(int call, int expectedCalls, float level) {
        if (skipEarlyCfg != 0 && (double) call / expectedCalls <= skipEarlyCfg) {
            return false;
        }
        return !(minSigma > 0 && level < minSigma && (minSigmaAllCalls || call % 2 == 1));
    }
}
