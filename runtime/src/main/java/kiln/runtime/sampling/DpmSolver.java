package kiln.runtime.sampling;

import kiln.runtime.base.KilnException;

/**
 * DPM-Solver's single steps of orders 1 to 3 (Lu et al. 2022, algorithms 1 and 2), in blocks of three calls ("fast") or with a step
 * length that follows the error ("adaptive"). Time is {@code −log(sigma)}.
 *
 * <p>Weights are rounded to float32 after each operation, in the original's order: the error that the adaptive walk goes by is a small
 * difference in which these roundings show.
 */
final class DpmSolver {
    /** Calls that an adaptive run mostly makes, for planning; it cannot be known before. */
    static final int USUAL_ADAPTIVE_CALLS = 60;

    private static final int BLOCK = 3;
    private static final float FIRST_THIRD = 1 / 3f;
    private static final float SECOND_THIRD = 2 / 3f;
    private static final float ABSOLUTE_TOLERANCE = 0.0078f;
    private static final float RELATIVE_TOLERANCE = 0.05f;
    private static final double FIRST_LENGTH = 0.05;
    private static final double ACCEPTED_FACTOR = 0.81;
    private static final double LEAST_ERROR = 1e-8;
    private static final float END_MARGIN = 1e-5f;
    private static final int MOST_ADAPTIVE_STEPS = 2000;

    private final SamplerRun run;
    private final float[] x;
    private final float end;

    private DpmSolver(SamplerRun run, float[] x) {
        this.run = run;
        this.x = x;
        end = Steps.time(run.plan().rangeMin());
    }

    static void fast(SamplerRun run, float[] x) {
        new DpmSolver(run, x).walkInBlocks(run.plan().rangeCalls());
    }

    static void adaptive(SamplerRun run, float[] x) {
        new DpmSolver(run, x).walkByError();
    }

    /** Where a step arrives before its noise, and how much noise takes it to its end. */
    private record Target(float time, float up) {}

    private Target target(float time, float next) {
        if (run.eta() == 0) {
            return new Target(next, 0);
        }
        float from = Steps.sigma(time);
        float to = Steps.sigma(next);
        float fresh = (float) Math.sqrt(to * to * (from * from - to * to) / (from * from)) * (float) run.eta();
        float up = Math.min(to, fresh);
        float down = (float) Math.sqrt(Math.max(0, to * to - up * up));
        float arrival = Math.min(end, Steps.time(down));
        float arrivalSigma = Steps.sigma(arrival);
        return new Target(arrival, (float) Math.sqrt(Math.max(0, to * to - arrivalSigma * arrivalSigma)));
    }

    private void walkInBlocks(int calls) {
        if (calls < 1) {
            return;
        }
        int blocks = calls / BLOCK + 1;
        float[] times = Schedule.linspace(Steps.time(run.plan().rangeMax()), end, blocks + 1);
        for (int i = 0; i < blocks; i++) {
            int order = order(i, blocks, calls);
            Target target = target(times[i], times[i + 1]);
            float[] eps = eps(x, times[i]);
            float[] denoised = denoised(eps, times[i]);
            float[] arrived = order == 1 ? firstOrder(eps, times[i], target.time()) : higherOrder(eps, times[i], target.time(), order);
            System.arraycopy(arrived, 0, x, 0, x.length);
            addNoise(target);
            run.done(i, blocks, Steps.sigma(times[i]), denoised);
        }
    }

    /** Blocks of three calls, the rest at the end: 2 and 1 where nothing would be left. */
    private static int order(int block, int blocks, int calls) {
        int rest = calls % BLOCK;
        int last = blocks - 1;
        if (rest == 0) {
            return block == last ? 1 : block == last - 1 ? 2 : BLOCK;
        }
        return block == last ? rest : BLOCK;
    }

    private void walkByError() {
        double length = FIRST_LENGTH;
        double order = run.eta() == 0 ? BLOCK : BLOCK / 2.0;
        float time = Steps.time(run.plan().rangeMax());
        float[] lastLow = x.clone();
        for (int step = 0; time < end - END_MARGIN; step++) {
            float next = Math.min(end, time + (float) length);
            Target target = target(time, next);
            float[] eps = eps(x, time);
            float[] denoised = denoised(eps, time);
            Pair pair = secondAndThirdOrder(eps, time, target.time());
            double error = error(pair, lastLow);
            if (Double.isNaN(error) || step == MOST_ADAPTIVE_STEPS) {
                throw KilnException.badRequest("DPM adaptive does not settle with this model: choose another sampler");
            }
            double factor = 1 + Math.atan(Math.pow(1 / (error + LEAST_ERROR), 1 / order) - 1);
            if (factor >= ACCEPTED_FACTOR) {
                lastLow = pair.low();
                System.arraycopy(pair.high(), 0, x, 0, x.length);
                addNoise(target);
                time = next;
            }
            length *= factor;
            run.done(step, Math.max(step + 1, USUAL_ADAPTIVE_CALLS / BLOCK), Steps.sigma(time), denoised);
        }
    }

    private void addNoise(Target target) {
        if (target.up() == 0) {
            run.skipNoise(x.length);
        } else {
            run.addNoise(x, target.up() * (run.plan().sampler() == Sampler.DPM_FAST ? run.noiseFactor() : 1));
        }
    }

    private static double error(Pair pair, float[] lastLow) {
        double sum = 0;
        for (int k = 0; k < lastLow.length; k++) {
            float size = Math.max(Math.abs(pair.low()[k]), Math.abs(lastLow[k]));
            double part = pair.difference()[k] / Math.max(ABSOLUTE_TOLERANCE, RELATIVE_TOLERANCE * size);
            sum += part * part;
        }
        return Math.sqrt(sum / lastLow.length);
    }

    private float[] eps(float[] at, float time) {
        float sigma = Steps.sigma(time);
        return Steps.slope(at, run.denoise(at, sigma), sigma);
    }

    private float[] denoised(float[] eps, float time) {
        float sigma = Steps.sigma(time);
        float[] denoised = new float[x.length];
        for (int k = 0; k < x.length; k++) {
            denoised[k] = x[k] - sigma * eps[k];
        }
        return denoised;
    }

    private float[] firstOrder(float[] eps, float time, float next) {
        return combine(eps, -Steps.sigma(next) * growth(next - time), eps, 0);
    }

    private float[] higherOrder(float[] eps, float time, float next, int order) {
        if (order == BLOCK) {
            return secondAndThirdOrder(eps, time, next).high();
        }
        float length = next - time;
        float[] inner = inner(eps, time, length, 0.5f);
        return combine(eps, -Steps.sigma(next) * growth(length), inner, -Steps.sigma(next) * growth(length));
    }

    /** {@code e^length − 1}. */
    private static float growth(float length) {
        return (float) Math.expm1(length);
    }

    /** The slope at a point a part of the step ahead. */
    private float[] inner(float[] eps, float time, float length, float part) {
        float at = time + part * length;
        return eps(combine(eps, -Steps.sigma(at) * growth(part * length), eps, 0), at);
    }

    /** Two solutions and how far they are apart, which their own digits would not tell when a step is short. */
    private record Pair(float[] low, float[] high, float[] difference) {}

    /** The solutions of order 2 and 3, which share the point a third of the step ahead. */
    private Pair secondAndThirdOrder(float[] eps, float time, float next) {
        float length = next - time;
        if (length == 0) {
            return new Pair(x.clone(), x.clone(), new float[x.length]);
        }
        float[] inner1 = inner(eps, time, length, FIRST_THIRD);
        float reach = SECOND_THIRD * length;
        float at = time + reach;
        float sigmaAt = Steps.sigma(at);
        float[] point = combine(eps, -sigmaAt * growth(reach), inner1, -(sigmaAt * 2) * (growth(reach) / reach - 1));
        float[] inner2 = eps(point, at);
        float sigmaNext = Steps.sigma(next);
        float take = -sigmaNext * growth(length);
        float turn1 = -sigmaNext / (2 * FIRST_THIRD) * growth(length);
        float turn2 = -sigmaNext / SECOND_THIRD * (growth(length) / length - 1);
        float[] difference = new float[x.length];
        for (int k = 0; k < x.length; k++) {
            difference[k] = (float) (turn1 * ((double) inner1[k] - eps[k]) - turn2 * ((double) inner2[k] - eps[k]));
        }
        return new Pair(combine(eps, take, inner1, turn1), combine(eps, take, inner2, turn2), difference);
    }

    /** {@code x + by · eps + byDifference · (other − eps)}. */
    private float[] combine(float[] eps, float by, float[] other, float byDifference) {
        float[] result = new float[x.length];
        for (int k = 0; k < x.length; k++) {
            result[k] = x[k] + by * eps[k] + byDifference * (other[k] - eps[k]);
        }
        return result;
    }
}
