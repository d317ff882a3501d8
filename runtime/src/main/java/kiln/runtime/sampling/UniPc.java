package kiln.runtime.sampling;

import java.util.ArrayList;
import java.util.List;
import kiln.runtime.sampling.UniPcOptions.Variant;

/**
 * UniPC (Zhao et al. 2023): a predictor and a corrector that look at several earlier steps, over times of its own. Time is 0 to 1, with
 * the model's timestep t at {@code (t + 1) / 1000}; lambda is half the logarithm of the signal's share to the noise's.
 */
final class UniPc {
    private final SamplerRun run;
    private final float[] x;
    private final VpSchedule schedule;
    private final UniPcOptions options;
    private final List<float[]> newestFirst = new ArrayList<>();
    private final List<Double> timesNewestFirst = new ArrayList<>();

    private UniPc(SamplerRun run, float[] x) {
        this.run = run;
        this.x = x;
        schedule = new VpSchedule(run.model().sampling());
        options = run.plan().options().uniPc();
    }

    static void sample(SamplerRun run, float[] x) {
        new UniPc(run, x).walk();
    }

    private void walk() {
        int[] timesteps = run.plan().walkedTimesteps();
        int steps = timesteps.length;
        if (steps == 0) {
            return;
        }
        double start = run.plan().startsFromLatent() ? (timesteps[steps - 1] + 1.0) / schedule.entries() : 1;
        double[] times = schedule.times(options.skipType(), start, steps);
        int order = Math.min(options.order(), steps);
        remember(times[0], clean(x, times[0]), order);
        for (int step = 1; step <= steps; step++) {
            int stepOrder = Math.min(order, step);
            if (options.lowerOrderFinal()) {
                stepOrder = step < order ? stepOrder : Math.min(stepOrder, steps + 1 - step);
            }
            float[] denoised = update(times[step], stepOrder, step < steps);
            run.done(step - 1, steps, (float) schedule.sigma(times[step - 1]), denoised == null ? newestFirst.get(0) : denoised);
            if (denoised != null) {
                remember(times[step], denoised, order);
            }
        }
    }

    private void remember(double time, float[] denoised, int order) {
        newestFirst.add(0, denoised);
        timesNewestFirst.add(0, time);
        if (newestFirst.size() > order) {
            newestFirst.remove(order);
            timesNewestFirst.remove(order);
        }
    }

    /** The clean latent that the network sees at a time. */
    private float[] clean(float[] at, double time) {
        float[] eps = run.model().eps(at, (float) ((time - 1.0 / schedule.entries()) * schedule.entries())).guided();
        float signal = (float) schedule.alpha(time);
        float noise = (float) schedule.std(time);
        float[] denoised = new float[at.length];
        for (int k = 0; k < at.length; k++) {
            denoised[k] = (at[k] - noise * eps[k]) / signal;
        }
        return denoised;
    }

    /** One step; returns what the network saw at its end, where the corrector asked it. */
    private float[] update(double time, int order, boolean correct) {
        double last = timesNewestFirst.get(0);
        double length = schedule.lambda(time) - schedule.lambda(last);
        double[] ratios = new double[order];
        for (int i = 1; i < order; i++) {
            ratios[i - 1] = (schedule.lambda(timesNewestFirst.get(i)) - schedule.lambda(last)) / length;
        }
        ratios[order - 1] = 1;
        float[] base = new float[x.length];
        float keep = (float) (schedule.std(time) / schedule.std(last));
        float take = (float) (-schedule.alpha(time) * Math.expm1(-length));
        float[] newest = newestFirst.get(0);
        for (int k = 0; k < base.length; k++) {
            base[k] = keep * x[k] + take * newest[k];
        }
        UniPcWeights weights = UniPcWeights.of(options.variant(), -length, ratios);
        float scale = (float) -schedule.alpha(time);
        float[] predicted = base.clone();
        addDifferences(predicted, weights.predictor(), ratios, scale);
        if (!correct) {
            System.arraycopy(predicted, 0, x, 0, x.length);
            return null;
        }
        float[] denoised = clean(predicted, time);
        System.arraycopy(base, 0, x, 0, x.length);
        addDifferences(x, weights.corrector(), ratios, scale);
        float turn = (float) (scale * weights.corrector()[order - 1]);
        for (int k = 0; k < x.length; k++) {
            x[k] += turn * (denoised[k] - newest[k]);
        }
        return denoised;
    }

    /** Adds the weighted slopes towards earlier estimates. */
    private void addDifferences(float[] target, double[] weights, double[] ratios, float scale) {
        float[] newest = newestFirst.get(0);
        for (int i = 0; i + 1 < ratios.length; i++) {
            float by = (float) (scale * weights[i] / ratios[i]);
            float[] earlier = newestFirst.get(i + 1);
            for (int k = 0; k < target.length; k++) {
                target[k] += by * (earlier[k] - newest[k]);
            }
        }
    }

    /** How much each difference weighs in the predictor (one fewer) and in the corrector. */
    private record UniPcWeights(double[] predictor, double[] corrector) {
        static UniPcWeights of(Variant variant, double reach, double[] ratios) {
            return variant == Variant.VARY_COEFF ? varying(reach, ratios) : fixed(variant, reach, ratios);
        }

        /** Equations of order {@code k} with the right-hand side over B(h) = h (bh1) or e^h − 1 (bh2). */
        private static UniPcWeights fixed(Variant variant, double reach, double[] ratios) {
            int order = ratios.length;
            double scale = variant == Variant.BH1 ? reach : Math.expm1(reach);
            double[][] powers = new double[order][order];
            double[] right = new double[order];
            double phi = Math.expm1(reach) / reach - 1;
            double factorial = 1;
            for (int row = 0; row < order; row++) {
                for (int column = 0; column < order; column++) {
                    powers[row][column] = Math.pow(ratios[column], row);
                }
                right[row] = phi * factorial / scale;
                factorial *= row + 2;
                phi = phi / reach - 1 / factorial;
            }
            double[] predictor = order == 2 ? new double[] {0.5} : LinearSystem.solve(powers, right, order - 1);
            double[] corrector = order == 1 ? new double[] {0.5} : LinearSystem.solve(powers, right, order);
            return new UniPcWeights(times(predictor, scale), times(corrector, scale));
        }

        /** Weights that follow from the inverse of the Taylor matrix, each by its own function of the step's length. */
        private static UniPcWeights varying(double reach, double[] ratios) {
            int order = ratios.length;
            double[][] taylor = new double[order][order];
            for (int row = 0; row < order; row++) {
                double value = 1;
                for (int column = 0; column < order; column++) {
                    taylor[row][column] = value;
                    value *= ratios[row] / (column + 2);
                }
            }
            double[] phis = new double[order + 1];
            double phi = Math.expm1(reach);
            double factorial = 1;
            for (int k = 0; k <= order; k++) {
                phis[k] = phi;
                phi = phi / reach - 1 / factorial;
                factorial *= k + 2;
            }
            double[][] forPredictor = LinearSystem.inverse(taylor, order - 1);
            double[][] forCorrector = LinearSystem.inverse(taylor, order);
            double[] predictor = new double[order - 1];
            double[] corrector = new double[order];
            for (int k = 0; k + 1 < order; k++) {
                for (int i = 0; i + 1 < order; i++) {
                    predictor[i] += phis[k + 1] * forPredictor[k][i];
                    corrector[i] += phis[k + 1] * forCorrector[k][i];
                }
            }
            // The original takes the last-but-one row here as well, where the derivation has the last.
            corrector[order - 1] = phis[order] * forCorrector[Math.max(order - 2, 0)][order - 1];
            return new UniPcWeights(predictor, corrector);
        }

        private static double[] times(double[] weights, double factor) {
            for (int i = 0; i < weights.length; i++) {
                weights[i] *= factor;
            }
            return weights;
        }
    }
}
