package kiln.runtime.exec.reference;

import kiln.runtime.graph.PostOp;

/** The elementwise functions, in 64 bits. */
final class Functions {
    /** Nodes of the table of erf: multiples of 1/16 up to 6, beyond which erf is 1 in 64 bits. */
    private static final int PER_UNIT = 16;

    private static final int LIMIT = 6;
    private static final double[] ERF = new double[LIMIT * PER_UNIT + 1];
    /** erf' = 2/√π · exp(−x²) at the same places. */
    private static final double[] SLOPE = new double[LIMIT * PER_UNIT + 1];

    static {
        for (int i = 0; i < ERF.length; i++) {
            double x = (double) i / PER_UNIT;
            SLOPE[i] = 2 / Math.sqrt(Math.PI) * Math.exp(-x * x);
            ERF[i] = Math.min(1, SLOPE[i] * series(x));
        }
    }

    private Functions() {}

    /** Σ 2ⁿ·x²ⁿ⁺¹ / (1·3·5·…·(2n+1)): all terms have one sign, so nothing cancels. */
    private static double series(double x) {
        double term = x;
        double sum = x;
        for (int n = 1; term > sum * 1e-17; n++) {
            term *= 2 * x * x / (2 * n + 1);
            sum += term;
        }
        return sum;
    }

    /** The error function to 1e-12: Taylor's series around the nearest place of the table, at most 1/32 away. */
    static double erf(double x) {
        double size = Math.abs(x);
        if (!(size < LIMIT)) {
            return Double.isNaN(x) ? x : Math.signum(x);
        }
        int i = (int) Math.round(size * PER_UNIT);
        double a = (double) i / PER_UNIT;
        double h = size - a;
        // erf⁽ⁿ⁺¹⁾(a) = erf'(a)·(−1)ⁿ·Hₙ(a) with Hermite's polynomials Hₙ₊₁ = 2a·Hₙ − 2n·Hₙ₋₁.
        double previous = 0;
        double hermite = 1;
        double power = h;
        double sum = 0;
        for (int n = 0; n < 7; n++) {
            sum += hermite * power;
            double next = 2 * a * hermite - 2 * n * previous;
            previous = hermite;
            hermite = next;
            power *= -h / (n + 2);
        }
        return Math.signum(x) * (ERF[i] + SLOPE[i] * sum);
    }

    static double gelu(double x) {
        return 0.5 * x * (1 + erf(x / Math.sqrt(2)));
    }

    static double sigmoid(double x) {
        return 1 / (1 + Math.exp(-x));
    }

    static float apply(PostOp.Kind kind, float x) {
        return (float) switch (kind) {
            case SILU -> x * sigmoid(x);
            case QUICK_GELU -> x * sigmoid(1.702 * x);
            case GELU -> gelu(x);
            case RELU -> x < 0 ? 0 : x;
            case LEAKY_RELU -> x < 0 ? 0.2f * x : x;
            case FIFTH -> 0.2f * x;
            case ADD, ADD_PER_CHANNEL -> throw new IllegalArgumentException(kind + " is not a function of one value");
        };
    }
}
