package kiln.runtime.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import kiln.runtime.base.KilnException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SamplingPlanTest {
    private static final float[] LATENT = {0.5f, -1, 2, 0.25f};
    private static final float[] NOISE = {1, -0.5f, 0.1f, -2};
    private final ModelSampling sampling = ModelSampling.sd1();

    /** Draws the wave's next numbers; half of a step's interval gives half of its noise's variance. */
    private static final class Waves implements StepNoise {
        private int draws;

        @Override
        public void fill(float[] target) {
            draws++;
            for (int i = 0; i < target.length; i++) {
                target[i] = (float) (1.4 * Math.sin(1.7 * i + 2.3 * draws));
            }
        }

        @Override
        public void skip(int count) {
            draws++;
        }

        @Override
        public void fillBetween(float[] target, float sigma, float nextSigma) {
            assertThat(nextSigma).isLessThan(sigma).isPositive();
            fill(target);
        }
    }

    private List<SamplingPlan> plans(SamplerChoice choice, int steps, SamplerOptions options) {
        List<SamplingPlan> plans = new ArrayList<>();
        plans.add(SamplingPlan.fromNoise(choice, steps, options, sampling));
        for (double strength : new double[] {0, 0.05, 0.5, 1}) {
            plans.add(SamplingPlan.fromLatent(choice, steps, options, sampling, ImageStart.of(strength)));
            plans.add(SamplingPlan.fromLatent(choice, steps, options, sampling, ImageStart.ofSteps(strength, steps)));
        }
        return plans;
    }

    /** Runs a network that predicts a part of its input, and counts its calls. */
    private int run(SamplingPlan plan) {
        int[] calls = {0};
        int[] steps = {0};
        ModelDenoiser model = new ModelDenoiser((input, timestep, level) -> {
            calls[0]++;
            assertThat(timestep).isBetween(0f, 999f);
            float[] eps = new float[input.length];
            for (int i = 0; i < eps.length; i++) {
                assertThat(input[i]).isFinite();
                eps[i] = 0.8f * input[i];
            }
            return GuidedOutput.of(eps);
        }, sampling, Prediction.EPS);
        float[] x = plan.startsFromLatent() ? plan.start(LATENT, NOISE) : plan.start(NOISE);
        x = plan.run(x, model, new Waves(), (step, of, sigma, denoised) -> {
            assertThat(step).isEqualTo(++steps[0]).isLessThanOrEqualTo(of);
            assertThat(sigma).isFinite().isNotNegative();
        });
        for (float value : x) {
            assertThat(value).isFinite();
        }
        return calls[0];
    }

    @ParameterizedTest
    @EnumSource
    void noRunIsBrokenHoweverShortItIs(Sampler sampler) {
        SamplerOptions wild = SamplerOptions.of(Map.of("eta_ancestral", 3, "eta_ddim", 3, "s_churn", 50, "rho", 30));
        for (Schedule schedule : Schedule.values()) {
            for (int steps : new int[] {1, 2, 3, 4, 7, 20, 37}) {
                for (SamplerOptions options : new SamplerOptions[] {SamplerOptions.DEFAULTS, SamplerOptions.DEFAULTS.withEta(0), wild}) {
                    for (SamplingPlan plan : plans(new SamplerChoice(sampler, schedule), steps, options)) {
                        int calls = run(plan);
                        if (sampler != Sampler.DPM_ADAPTIVE) {
                            assertThat(calls).as("%s %s %d", sampler, schedule, steps).isEqualTo(plan.networkCalls());
                        }
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void strengthZeroLeavesTheLatent(Sampler sampler) {
        SamplerChoice choice = new SamplerChoice(sampler, Schedule.AUTOMATIC);
        SamplingPlan plan = SamplingPlan.fromLatent(choice, 10, SamplerOptions.DEFAULTS, sampling, ImageStart.ofSteps(0, 10));
        assertThat(plan.networkCalls()).isZero();
        assertThat(plan.start(LATENT, NOISE)).containsExactly(LATENT);
    }

    @Test
    void theFirstNoiseOfAPictureIsScaledAndRepeatedAsAsked() {
        SamplerChoice choice = SamplerChoice.find("Euler", "Karras");
        ImageStart start = new ImageStart(0.5, 0, 1.5, 0.25);
        SamplingPlan plan = SamplingPlan.fromLatent(choice, 20, SamplerOptions.DEFAULTS, sampling, start);
        float sigma = plan.sigmas()[plan.firstIndex()];
        assertThat(plan.start(LATENT, NOISE)[0]).isEqualTo(LATENT[0] + 1.5f * NOISE[0] * sigma + 1.5f * NOISE[0] * 0.25f);
    }

    @Test
    void guidanceMayLeaveOutTheUnconditionalHalf() {
        assertThat(Guidance.FULL.needsUnconditional(0, 20, 14.6f)).isTrue();
        Guidance early = new Guidance(0.3, 0, false);
        assertThat(early.needsUnconditional(6, 20, 5)).isFalse();
        assertThat(early.needsUnconditional(7, 20, 5)).isTrue();
        Guidance low = new Guidance(0, 3, false);
        assertThat(low.needsUnconditional(7, 20, 2.9f)).isFalse();
        assertThat(low.needsUnconditional(8, 20, 2.9f)).isTrue();
        assertThat(low.needsUnconditional(7, 20, 3.1f)).isTrue();
        assertThat(new Guidance(0, 3, true).needsUnconditional(8, 20, 2.9f)).isFalse();
    }

    @Test
    void optionsOutOfRangeAreRefusedByName() {
        for (Map<String, Object> wrong : List.<Map<String, Object>>of(
                Map.of("s_churn", -1),
                Map.of("eta_ancestral", Double.NaN),
                Map.of("beta_dist_alpha", 0),
                Map.of("uni_pc_order", 0),
                Map.of("uni_pc_variant", "bh3"),
                Map.of("s_noise", "loud"),
                Map.of("enable_quantization", 1))) {
            assertThatThrownBy(() -> SamplerOptions.of(wrong))
                    .isInstanceOfSatisfying(KilnException.class, e -> assertThat(e.category()).isEqualTo(KilnException.Category.BAD_REQUEST))
                    .hasMessageContaining(wrong.keySet().iterator().next());
        }
        assertThat(SamplerOptions.of(Map.of("sd_model_checkpoint", "any"))).isEqualTo(SamplerOptions.DEFAULTS);
        assertThatThrownBy(() -> ImageStart.of(1.5)).isInstanceOf(KilnException.class).hasMessageContaining("strength");
        SamplerChoice euler = SamplerChoice.find("Euler", "Automatic");
        SamplerOptions empty = SamplerOptions.of(Map.of("sigma_min", 20));
        assertThatThrownBy(() -> SamplingPlan.fromNoise(euler, 20, empty, sampling))
                .isInstanceOf(KilnException.class)
                .hasMessageContaining("sigma_min 20");
        ImageStart endless = ImageStart.ofSteps(1e-9, 20);
        assertThatThrownBy(() -> SamplingPlan.fromLatent(euler, 20, SamplerOptions.DEFAULTS, sampling, endless))
                .isInstanceOf(KilnException.class)
                .hasMessageContaining("raise the strength");
    }

    @Test
    void quantilesOfTheBetaDistributionAreItsInverse() {
        for (double[] shape : new double[][] {{0.6, 0.6}, {1, 1}, {0.05, 3}, {20, 0.5}, {90, 90}}) {
            BetaDistribution distribution = new BetaDistribution(shape[0], shape[1]);
            double last = -1;
            for (double p : new double[] {0, 1e-6, 0.1, 0.25, 0.5, 0.75, 0.9, 1 - 1e-6, 1}) {
                double quantile = distribution.quantile(p);
                assertThat(quantile).isBetween(0.0, 1.0).isGreaterThanOrEqualTo(last);
                if (quantile > 1e-12 && quantile < 1 - 1e-9) {
                    assertThat(distribution.cumulative(quantile)).as(Arrays.toString(shape)).isCloseTo(p, within(1e-9));
                }
                last = quantile;
            }
        }
    }
}
