package kiln.runtime.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import kiln.runtime.base.KilnException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class SamplerTest {
    @ParameterizedTest
    @EnumSource
    void everySamplerIsFoundByLabelAndAliasInAnyCase(Sampler sampler) {
        assertThat(Sampler.find(sampler.label())).isEqualTo(sampler);
        assertThat(Sampler.find(sampler.label().toUpperCase())).isEqualTo(sampler);
        for (String alias : sampler.aliases()) {
            assertThat(Sampler.find(alias.toUpperCase())).isEqualTo(sampler);
        }
        assertThat(sampler.defaultSchedule()).isNotEqualTo(Schedule.AUTOMATIC);
    }

    @ParameterizedTest
    @CsvSource({
        "DPM++ 2M Karras, DPMPP_2M, AUTOMATIC",
        "dpm++ 2m exponential, DPMPP_2M, EXPONENTIAL",
        "Euler a Karras, EULER_A, KARRAS",
        "LMS Karras, LMS, KARRAS",
        "Euler a SGM Uniform, EULER_A, SGM_UNIFORM",
        "Euler Uniform, EULER, UNIFORM",
        "DPM++2M Karras, DPMPP_2M, AUTOMATIC",
        "dpmpp_2m_sde_heun exponential, DPMPP_2M_SDE_HEUN, AUTOMATIC",
        "k_euler_ancestral, EULER_A, AUTOMATIC",
        "k_dpmpp_2s_ancestral, DPMPP_2S_A, AUTOMATIC",
        "k_dpm_2_ancestral, DPM2_A, AUTOMATIC",
        "k_lms_ka, LMS, KARRAS",
        "ddim_v3, DDIM, AUTOMATIC",
        "uni_pc, UNIPC, AUTOMATIC",
        "DDIM cfg++, DDIM_CFGPP, AUTOMATIC",
    })
    void olderNamesThatHoldAScheduleAreSplit(String name, Sampler sampler, Schedule schedule) {
        assertThat(SamplerChoice.find(name, "Automatic")).isEqualTo(new SamplerChoice(sampler, schedule));
        assertThat(Sampler.find(name)).isEqualTo(sampler);
    }

    @Test
    void automaticMeansTheSamplersDefault() {
        assertThat(SamplerChoice.find("DPM++ 2M", "automatic").resolvedSchedule()).isEqualTo(Schedule.KARRAS);
        assertThat(SamplerChoice.find("Euler a", "automatic").resolvedSchedule()).isEqualTo(Schedule.UNIFORM);
        assertThat(SamplerChoice.find("Euler a", "simple").resolvedSchedule()).isEqualTo(Schedule.SIMPLE);
    }

    @Test
    void anUnknownNameIsAnsweredWithTheNearest() {
        assertThatThrownBy(() -> SamplerChoice.find("Euller", "Automatic"))
                .isInstanceOfSatisfying(KilnException.class, e -> assertThat(e.category()).isEqualTo(KilnException.Category.BAD_REQUEST))
                .hasMessageContaining("\"Euller\"")
                .hasMessageContaining("try Euler");
        assertThatThrownBy(() -> SamplerChoice.find("Euler", "sgm")).isInstanceOf(KilnException.class).hasMessageContaining("SGM Uniform");
    }

    @Test
    void aHugeOrStrangeNameMakesOneShortLine() {
        assertThatThrownBy(() -> SamplerChoice.find("x\n".repeat(50_000), "Automatic"))
                .isInstanceOf(KilnException.class)
                .message().hasSizeLessThan(200).doesNotContain("\n");
        assertThatThrownBy(() -> SamplerChoice.find("", "Automatic")).isInstanceOf(KilnException.class);
    }

    @Test
    void stepsOutOfRangeAreRefused() {
        SamplerChoice choice = SamplerChoice.find("Euler", "Automatic");
        for (int steps : new int[] {0, -1, 1001}) {
            assertThatThrownBy(() -> plan(choice, steps))
                    .isInstanceOf(KilnException.class)
                    .hasMessageContaining("1 to 1000");
        }
    }

    @ParameterizedTest
    @CsvSource({"9, 9", "15, 15", "20, 19", "25, 24", "28, 28", "30, 30", "33, 33", "40, 39", "50, 49"})
    void ddimCallsTheNetworkAsOftenAsA1111Does(int steps, int calls) {
        assertThat(plan(SamplerChoice.find("DDIM", "Automatic"), steps).networkCalls()).isEqualTo(calls);
    }

    @Test
    void whatTheModelThrowsEndsTheRun() {
        SamplerChoice choice = SamplerChoice.find("Heun", "Karras");
        SamplingPlan plan = plan(choice, 5);
        assertThatThrownBy(() -> plan.run(plan.start(new float[4]), model((x, t, level) -> {
            throw KilnException.cancelled();
        }), new Noise(0), (step, steps, sigma, denoised) -> {}))
                .isInstanceOfSatisfying(KilnException.class, e -> assertThat(e.category()).isEqualTo(KilnException.Category.CANCELLED));
    }

    /** The same number at each draw. */
    private record Noise(float value) implements StepNoise {
        @Override
        public void fill(float[] target) {
            Arrays.fill(target, value);
        }

        @Override
        public void skip(int count) {
            // The next number is the same anyway.
        }

        @Override
        public void fillBetween(float[] target, float sigma, float nextSigma) {
            fill(target);
        }
    }

    private static SamplingPlan plan(SamplerChoice choice, int steps) {
        return SamplingPlan.fromNoise(choice, steps, SamplerOptions.DEFAULTS, ModelSampling.sd1());
    }

    private static ModelDenoiser model(GuidedNetwork network) {
        return new ModelDenoiser(network, ModelSampling.sd1(), Prediction.EPS);
    }

    @ParameterizedTest
    @EnumSource
    void aModelThatKnowsTheCleanLatentIsFollowedToIt(Sampler sampler) {
        float[] clean = {0.5f, -1, 2, 0.25f};
        float[] noise = {1, -0.5f, 0.1f, -2};
        ModelSampling sampling = ModelSampling.sd1();
        SamplingPlan plan = plan(new SamplerChoice(sampler, Schedule.AUTOMATIC), 20);
        float[] x = plan.run(plan.start(noise), model((input, t, level) -> {
            float[] eps = new float[input.length];
            double sigma = sampling.sigma(t);
            for (int i = 0; i < eps.length; i++) {
                eps[i] = (float) ((input[i] * Math.sqrt(sigma * sigma + 1) - clean[i]) / sigma);
            }
            return GuidedOutput.of(eps);
        }), new Noise(0.7f), (step, steps, sigma, denoised) -> {});
        for (int i = 0; i < x.length; i++) {
            // Samplers over timesteps, and those with levels of their own, stop at the lowest level, 0.03 or 0.04, not at 0.
            boolean stopsAbove = sampler.usesTimesteps() || sampler.has(Sampler.Trait.RANGE_ONLY);
            assertThat(x[i]).isCloseTo(clean[i], within(stopsAbove ? 0.1f : 1e-4f));
        }
    }
}
