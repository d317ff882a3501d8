package kiln.runtime.check;

import java.util.ArrayList;
import java.util.List;
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
 * What samplers cost beside their network: their own arithmetic and the noise that they wait for, over a network that answers at once. With a
 * real one noise is drawn meanwhile, so this is the most that a sampler can cost.
 */
public final class SamplerBench {
    private static final int STEPS = 20;

    private SamplerBench() {}

    /** @param secondsPerCall of the network, the median of all runs */
    public record Row(Sampler sampler, int calls, double secondsPerCall) {}

    /**
     * @param latent of one picture
     * @param runs timed, after as many that are not counted
     */
    public static List<Row> run(List<Sampler> samplers, LatentShape latent, int runs) {
        return samplers.stream().map(sampler -> time(sampler, latent, runs)).toList();
    }

    private static Row time(Sampler sampler, LatentShape latent, int runs) {
        ModelSampling levels = ModelSampling.sd1();
        SamplingPlan plan =
                SamplingPlan.fromNoise(new SamplerChoice(sampler, Schedule.AUTOMATIC), STEPS, SamplerOptions.DEFAULTS, levels);
        int[] calls = {0};
        float[] answer = new float[latent.size()];
        GuidedNetwork network = (input, timestep, level) -> {
            calls[0]++;
            return GuidedOutput.of(answer);
        };
        ModelDenoiser denoiser = new ModelDenoiser(network, levels, Prediction.EPS);
        List<Double> seconds = new ArrayList<>();
        for (int run = 0; run < 2 * runs; run++) {
            calls[0] = 0;
            RunNoise noise = new RunNoise(NoiseOptions.of(NoiseKind.CPU), new long[] {run}, new long[] {0}, latent, plan);
            float[] x = plan.start(noise.first());
            long begin = System.nanoTime();
            plan.run(x, denoiser, noise, (step, of, sigma, denoised) -> {});
            if (run >= runs) {
                seconds.add((System.nanoTime() - begin) / 1e9 / calls[0]);
            }
        }
        double[] sorted = seconds.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        return new Row(sampler, calls[0], sorted[sorted.length / 2]);
    }
}
