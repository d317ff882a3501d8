package kiln.runtime.sampling;

import kiln.runtime.sampling.UniPcOptions.SkipType;

/**
 * A model's noise levels over continuous time from 0 to 1 (variance preserving): log(alpha) is linear between the table's entries, with
 * entry i at {@code (i + 1) / n}, and goes on as straight beyond them.
 */
final class VpSchedule {
    private final double[] logAlphas;

    VpSchedule(ModelSampling sampling) {
        logAlphas = new double[sampling.timesteps()];
        for (int i = 0; i < logAlphas.length; i++) {
            logAlphas[i] = 0.5 * Math.log(sampling.alphaCumprod(i));
        }
    }

    int entries() {
        return logAlphas.length;
    }

    private double logAlpha(double time) {
        double at = time * logAlphas.length - 1;
        int low = Math.max(0, Math.min(logAlphas.length - 2, (int) Math.floor(at)));
        return logAlphas[low] + (at - low) * (logAlphas[low + 1] - logAlphas[low]);
    }

    /** The signal's share. */
    double alpha(double time) {
        return Math.exp(logAlpha(time));
    }

    /** The noise's share. */
    double std(double time) {
        return Math.sqrt(-Math.expm1(2 * logAlpha(time)));
    }

    double lambda(double time) {
        double logAlpha = logAlpha(time);
        return logAlpha - 0.5 * Math.log(-Math.expm1(2 * logAlpha));
    }

    double sigma(double time) {
        return Math.exp(-lambda(time));
    }

    private double timeAt(double lambda) {
        double logAlpha = -0.5 * Math.log1p(Math.exp(-2 * lambda));
        int low = 0;
        int high = logAlphas.length - 1;
        while (high - low > 1) {
            int middle = (low + high) >>> 1;
            if (logAlphas[middle] >= logAlpha) {
                low = middle;
            } else {
                high = middle;
            }
        }
        double at = low + (logAlpha - logAlphas[low]) / (logAlphas[high] - logAlphas[low]);
        return (at + 1) / logAlphas.length;
    }

    /** {@code steps + 1} times from {@code start} to the table's first entry. */
    double[] times(SkipType skipType, double start, int steps) {
        double end = 1.0 / logAlphas.length;
        double[] times = new double[steps + 1];
        for (int i = 0; i <= steps; i++) {
            double part = (double) i / steps;
            times[i] = switch (skipType) {
                case TIME_UNIFORM -> start + part * (end - start);
                case TIME_QUADRATIC -> Math.pow(Math.sqrt(start) + part * (Math.sqrt(end) - Math.sqrt(start)), 2);
                case LOGSNR -> timeAt(lambda(start) + part * (lambda(end) - lambda(start)));
            };
        }
        return times;
    }
}
