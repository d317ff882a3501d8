package kiln.runtime.sampling;

import kiln.runtime.base.Bounds;

/**
 * Noise added before a step and removed by it (Karras et al. 2022, algorithm 2), and how strong any added noise is.
 *
 * @param amount {@code s_churn}: how much; Euler, Heun and DPM2 only
 * @param least {@code s_tmin}: lowest noise level at which it is added
 * @param most {@code s_tmax}: highest one; 0 for no limit
 * @param noise {@code s_noise}: factor of the noise that samplers add; 1 is right in theory
 */
public record Churn(double amount, double least, double most, double noise) {
    public static final Churn NONE = new Churn(0, 0, 0, 1);

    private static final double MOST_AMOUNT = 10_000;
    private static final double MOST_SIGMA = 1e6;
    private static final double MOST_NOISE = 10;

    public Churn {
        Bounds.check("s_churn", amount, 0, MOST_AMOUNT);
        Bounds.check("s_tmin", least, 0, MOST_SIGMA);
        Bounds.check("s_tmax", most, 0, MOST_SIGMA);
        Bounds.check("s_noise", noise, 0, MOST_NOISE);
    }

    /** By what part a level is raised in a run of so many steps. */
    double gamma(float sigma, int steps) {
        boolean within = sigma >= (float) least && (most == 0 || sigma <= (float) most);
        return within ? Math.min(amount / steps, Math.sqrt(2) - 1) : 0;
    }
}
