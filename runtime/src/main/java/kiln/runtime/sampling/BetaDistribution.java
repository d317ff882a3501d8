package kiln.runtime.sampling;

/** The beta distribution's quantiles, from the continued fraction of its incomplete integral (Abramowitz and Stegun 26.5.8). */
final class BetaDistribution {
    private static final int FRACTION_TERMS = 500;
    private static final int HALVINGS = 200;
    private static final double TINY = 1e-300;
    private static final double[] LANCZOS = {
        0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905,
        -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7
    };

    private final double alpha;
    private final double beta;
    private final double logScale;

    BetaDistribution(double alpha, double beta) {
        this.alpha = alpha;
        this.beta = beta;
        logScale = logGamma(alpha + beta) - logGamma(alpha) - logGamma(beta);
    }

    /** The value that a part {@code p} of all draws lies below. */
    double quantile(double p) {
        if (p <= 0 || p >= 1) {
            return p <= 0 ? 0 : 1;
        }
        double low = 0;
        double high = 1;
        for (int i = 0; i < HALVINGS; i++) {
            double middle = (low + high) / 2;
            if (middle == low || middle == high) {
                break;
            }
            if (cumulative(middle) < p) {
                low = middle;
            } else {
                high = middle;
            }
        }
        return (low + high) / 2;
    }

    double cumulative(double x) {
        if (x <= 0 || x >= 1) {
            return x <= 0 ? 0 : 1;
        }
        double front = Math.exp(logScale + alpha * Math.log(x) + beta * Math.log1p(-x));
        // The fraction converges fast below the mean; above it the mirrored one does.
        return x < (alpha + 1) / (alpha + beta + 2)
                ? front * fraction(alpha, beta, x) / alpha
                : 1 - front * fraction(beta, alpha, 1 - x) / beta;
    }

    private static double fraction(double a, double b, double x) {
        double c = 1;
        double d = 1 / nonZero(1 - (a + b) * x / (a + 1));
        double value = d;
        for (int m = 1; m <= FRACTION_TERMS; m++) {
            double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
            d = 1 / nonZero(1 + even * d);
            c = nonZero(1 + even / c);
            value *= d * c;
            double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
            d = 1 / nonZero(1 + odd * d);
            c = nonZero(1 + odd / c);
            double factor = d * c;
            value *= factor;
            if (Math.abs(factor - 1) < Math.ulp(1.0)) {
                break;
            }
        }
        return value;
    }

    private static double nonZero(double value) {
        return Math.abs(value) < TINY ? TINY : value;
    }

    /** Lanczos' approximation with g = 7. */
    private static double logGamma(double x) {
        if (x < 0.5) {
            return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
        }
        double sum = LANCZOS[0];
        for (int i = 1; i < LANCZOS.length; i++) {
            sum += LANCZOS[i] / (x - 1 + i);
        }
        double t = x + 6.5;
        return Math.log(2 * Math.PI) / 2 + (x - 0.5) * Math.log(t) - t + Math.log(sum);
    }
}
