package kiln.runtime.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import kiln.runtime.noise.BrownianNoise;
import kiln.runtime.noise.ImageNoise;
import kiln.runtime.noise.LatentShape;
import kiln.runtime.noise.NoiseKind;
import kiln.runtime.noise.NoiseOptions;
import kiln.runtime.sampling.GuidedOutput;
import kiln.runtime.sampling.ModelDenoiser;
import kiln.runtime.sampling.ModelSampling;
import kiln.runtime.sampling.Prediction;
import kiln.runtime.sampling.Sampler;
import kiln.runtime.sampling.SamplerChoice;
import kiln.runtime.sampling.SamplerOptions;
import kiln.runtime.sampling.SamplingPlan;
import kiln.runtime.sampling.Schedule;
import kiln.runtime.sampling.StepNoise;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class RunNoiseTest {
    private static final LatentShape SHAPE = new LatentShape(4, 3, 2);
    private static final long[] SEEDS = {5, 6};
    private final NoiseOptions options = NoiseOptions.of(NoiseKind.NV);

    /** Draws each number when it is asked for, and writes them down. */
    private final class Plain implements StepNoise {
        private final ImageNoise stream = new ImageNoise(options, SEEDS, new long[0], SHAPE);
        private final BrownianNoise brownian;

        Plain(SamplingPlan plan) {
            brownian = new BrownianNoise(options, SEEDS, SHAPE.size(), Math.min(plan.noiseMin(), 1), Math.max(plan.noiseMax(), 1));
        }

        @Override
        public void fill(float[] target) {
            stream.next(target);
        }

        @Override
        public void skip(int count) {
            float[] drawn = new float[SEEDS.length * SHAPE.size()];
            stream.next(drawn);
        }

        @Override
        public void fillBetween(float[] target, float sigma, float nextSigma) {
            brownian.fill(target, sigma, nextSigma);
        }
    }

    private static float[] run(SamplingPlan plan, float[] first, StepNoise noise) {
        ModelDenoiser model = new ModelDenoiser((input, timestep, level) -> {
            float[] eps = new float[input.length];
            for (int i = 0; i < eps.length; i++) {
                eps[i] = 0.7f * input[i];
            }
            return GuidedOutput.of(eps);
        }, ModelSampling.sd1(), Prediction.EPS);
        return plan.run(plan.start(first), model, noise, (step, steps, sigma, denoised) -> {});
    }

    @ParameterizedTest
    @EnumSource
    void noiseDrawnAheadIsTheNoiseThatIsAskedFor(Sampler sampler) {
        // Churn on some levels only: used and unused draws in turn.
        SamplerOptions churned = SamplerOptions.of(Map.of("s_churn", 5, "s_tmin", 0.5, "s_tmax", 5));
        List<float[]> results = new ArrayList<>();
        for (SamplerOptions settings : List.of(SamplerOptions.DEFAULTS, churned)) {
            SamplerChoice choice = new SamplerChoice(sampler, Schedule.AUTOMATIC);
            SamplingPlan plan = SamplingPlan.fromNoise(choice, 12, settings, ModelSampling.sd1());
            RunNoise ahead = new RunNoise(options, SEEDS, new long[0], SHAPE, plan);
            Plain plain = new Plain(plan);
            float[] first = new float[SEEDS.length * SHAPE.size()];
            plain.fill(first);
            float[] begun = ahead.first();
            assertThat(begun).containsExactly(first);
            float[] expected = run(plan, first, plain);
            results.add(run(plan, begun, ahead));
            assertThat(results.get(results.size() - 1)).containsExactly(expected);
        }
        boolean churns = sampler == Sampler.EULER || sampler == Sampler.HEUN || sampler == Sampler.DPM2;
        assertThat(Arrays.equals(results.get(0), results.get(1))).isEqualTo(!churns);
    }
}
