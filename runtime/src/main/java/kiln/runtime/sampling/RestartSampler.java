package kiln.runtime.sampling;

import java.util.ArrayList;
import java.util.List;

/**
 * Heun steps that now and then go back up: noise is added and a stretch of levels walked again, which wears off errors of earlier steps
 * (Xu et al. 2023). How often is A1111's choice by the number of steps.
 */
final class RestartSampler {
    private static final int LEAST_STEPS = 20;
    private static final int SHORT_RESTART = 9;
    private static final int MANY_STEPS = 36;
    private static final float LOW = 0.1f;
    private static final float HIGH = 2;

    private RestartSampler() {}

    private record Step(float from, float to) {}

    static void sample(SamplerRun run, float[] x) {
        List<Step> steps = steps(run.sigmas());
        for (int i = 0; i < steps.size(); i++) {
            float from = steps.get(i).from();
            float last = i == 0 ? from : steps.get(i - 1).to();
            if (last < from) {
                run.addNoise(x, Math.sqrt((double) from * from - (double) last * last));
            }
            float[] denoised = EulerSamplers.heunStep(run, x, from, steps.get(i).to());
            run.done(i, steps.size(), from, denoised);
        }
    }

    private static List<Step> steps(float[] given) {
        int count = given.length - 1;
        float[] sigmas = given;
        int restartSteps = 0;
        int times = 0;
        if (count >= LEAST_STEPS) {
            times = count >= MANY_STEPS ? 2 : 1;
            restartSteps = count >= MANY_STEPS ? count / 4 : SHORT_RESTART;
            sigmas = Schedule.karras(count - restartSteps * times, given[count - 1], given[0], Schedule.KARRAS_RHO);
        }
        int low = times > 0 ? nearest(sigmas, LOW) : 0;
        int high = times > 0 ? nearest(sigmas, HIGH) : 0;
        List<Step> steps = new ArrayList<>();
        for (int i = 0; i + 1 < sigmas.length; i++) {
            steps.add(new Step(sigmas[i], sigmas[i + 1]));
            if (i + 1 == low && high < low) {
                float[] again = Schedule.karras(restartSteps + 1, sigmas[low], sigmas[high], Schedule.KARRAS_RHO);
                for (int time = 0; time < times; time++) {
                    for (int k = 0; k < restartSteps; k++) {
                        steps.add(new Step(again[k], again[k + 1]));
                    }
                }
            }
        }
        return steps;
    }

    private static int nearest(float[] sigmas, float sigma) {
        int best = 0;
        for (int i = 1; i < sigmas.length; i++) {
            if (Math.abs(sigmas[i] - sigma) < Math.abs(sigmas[best] - sigma)) {
                best = i;
            }
        }
        return best;
    }
}
