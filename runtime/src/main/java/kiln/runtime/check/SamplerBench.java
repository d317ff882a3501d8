package kiln.runtime.check;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import kiln.runtime.noise.LatentShape;
import kiln.runtime.noise.NoiseKind;
import kiln.runtime.noise.NoiseOptions;
import kiln.runtime.pipeline.RunNoise;
import kiln.runtime.sampling.GuidedNetwork;
import kiln.runtime.sampling.GuidedOutput;
import kiln.runtime.sampling.ModelDenoiser;
import kiln.runtime.sampling.ModelSampling;
import kiln.runtime.sampling.Prediction;
import kiln.runtime.sampling.Sampler;
import kiln.runtime.sampling.SamplerChoice;
import kiln.runtime.sampling.SamplerOptions;
import kiln.runtime.sampling.SamplingPlan;
import kiln.runtime.sampling.Schedule;

/**
 * What samplers cost beside their network: their own arithmetic, and what they wait for noise that is drawn while the network computes. The
 * network here does nothing for as long as it is told.
 */
public final class SamplerBench {
    private static final int STEPS = 20;

    private SamplerBench() {}

    /** @param secondsPerCall of the network, beside the network's own, the median of all runs */
    public record Row(Sampler sampler, int calls, double secondsPerCall) {}

    /**
     * @param latent of one picture
     * @param networkSeconds that a call of the network takes
     * @param runs timed, after as many that are not counted
     */
    public static List<Row> run(List<Sampler> samplers, LatentShape latent, double networkSeconds, int runs) {
        return samplers.stream().map(sampler -> time(sampler, latent, networkSeconds, runs)).toList();
    }

    private static Row time(Sampler sampler, LatentShape latent, double networkSeconds, int runs) {
        ModelSampling levels = ModelSampling.sd1();
        SamplingPlan plan =
                SamplingPlan.fromNoise(new SamplerChoice(sampler, Schedule.AUTOMATIC), STEPS, SamplerOptions.DEFAULTS, levels);
        int[] calls = {0};
        double[] inNetwork = {0};
        float[] answer = new float[latent.size()];
        GuidedNetwork network = (input, timestep, level) -> {
            calls[0]++;
            inNetwork[0] += idle(networkSeconds);
            return GuidedOutput.of(answer);
        };
        ModelDenoiser denoiser = new ModelDenoiser(network, levels, Prediction.EPS);
        List<Double> seconds = new ArrayList<>();
        for (int run = 0; run < 2 * runs; run++) {
            calls[0] = 0;
            inNetwork[0] = 0;
            RunNoise noise = new RunNoise(NoiseOptions.of(NoiseKind.CPU), new long[] {run}, new long[] {0}, latent, plan);
            float[] x = plan.start(noise.first());
            long begin = System.nanoTime();
            plan.run(x, denoiser, noise, (step, of, sigma, denoised) -> {});
            if (run >= runs) {
                seconds.add(((System.nanoTime() - begin) / 1e9 - inNetwork[0]) / calls[0]);
            }
        }
        double[] sorted = seconds.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        return new Row(sampler, calls[0], sorted[sorted.length / 2]);
    }

    /** Leaves the processor to whoever draws noise. @return how long it really was */
    private static double idle(double seconds) {
        long begin = System.nanoTime();
        while (System.nanoTime() - begin < seconds * 1e9) {
            LockSupport.parkNanos((long) (seconds * 1e9) - (System.nanoTime() - begin));
        }
        return (System.nanoTime() - begin) / 1e9;
    }
}
