package kiln.runtime.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import kiln.runtime.base.KilnException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ScheduleTest {
    private final ModelSampling sampling = ModelSampling.sd1();

    /** Levels that A1111 itself gave for ten steps, printed with four or five digits. */
    @ParameterizedTest
    @CsvSource({
        "uniform, 14.6146 7.8399 4.6092 2.9183 1.9502 1.3449 .9324 .6250 .3687 .0292 0",
        "karras, 14.6146 9.1029 5.4784 3.1686 1.7494 .9141 .4469 .2014 .0819 .0292 0",
        "exponential, 14.6146 7.3249 3.6712 1.8400 .9222 .4622 .2317 .1161 .0582 .0292 0",
        "sgm_uniform, 14.6146 8.3072 5.0924 3.3251 2.2797 1.6156 1.1629 .8319 .5712 .3437 0",
        "simple, 14.6146 8.3028 5.0878 3.3211 2.2765 1.6129 1.1606 .8299 .5693 .3417 0",
        "ddim, 8.3907 5.1344 3.3478 2.2929 1.6237 1.1682 .8357 .5741 .3462 .0413 0",
        "kl_optimal, 14.6146 4.5650 2.6329 1.7864 1.2948 .9616 .7116 .5094 .3356 .1783 .0292",
        "align_your_steps, 14.615 6.1135 3.5651 2.3939 1.6500 1.1358 .7425 .4450 .1692 .0290 0",
    })
    void tenStepsGiveTheLevelsMeasuredInA1111(String name, String levels) {
        String[] expected = levels.split(" ");
        float[] sigmas = Schedule.find(name).sigmas(10, sampling, LevelOptions.DEFAULTS);
        assertThat(sigmas).hasSize(expected.length);
        for (int i = 0; i < expected.length; i++) {
            // Half a unit of the last printed digit.
            assertThat(sigmas[i]).as("level %d", i).isCloseTo(Float.parseFloat(expected[i]), within(6e-5f));
        }
    }

    @Test
    void theModelsTableHasThePublishedEnds() {
        assertThat(sampling.sigmaMin()).isCloseTo(0.0291675f, within(1e-7f));
        assertThat(sampling.sigmaMax()).isCloseTo(14.614641f, within(1e-5f));
        assertThat(sampling.alphaCumprod(0)).isCloseTo(0.99914998f, within(1e-8f));
        assertThat(sampling.alphaCumprod(999)).isCloseTo(0.0046601f, within(1e-7f));
    }

    @Test
    void timestepAndSigmaAreEachOthersInverse() {
        for (float t = 0; t <= 999; t += 0.37f) {
            // Neighbouring logarithms lie about 5e-3 apart, so float32 leaves about 1e-4 of a timestep.
            assertThat(sampling.timestep(sampling.sigma(t))).isCloseTo(t, within(5e-4f));
        }
        assertThat(sampling.timestep(100)).isEqualTo(999);
        assertThat(sampling.timestep(1e-6f)).isZero();
    }

    @ParameterizedTest
    @EnumSource(names = "AUTOMATIC", mode = EnumSource.Mode.EXCLUDE)
    void levelsAreFiniteAndFallForAnyNumberOfSteps(Schedule schedule) {
        for (int steps : new int[] {1, 2, 3, 7, 9, 20, 30, 33, 150, 333, 501, 1000}) {
            float[] sigmas = schedule.sigmas(steps, sampling, LevelOptions.DEFAULTS);
            if (schedule != Schedule.DDIM) {
                assertThat(sigmas).hasSize(steps + 1);
            }
            for (int i = 0; i < sigmas.length; i++) {
                assertThat(sigmas[i]).as("%s %d [%d]", schedule, steps, i).isFinite().isNotNegative();
                assertThat(i == 0 || sigmas[i] < sigmas[i - 1]).as("%s %d falls at %d", schedule, steps, i).isTrue();
            }
        }
    }

    @Test
    void schedulesAreFoundByLabelAndNameInAnyCase() {
        assertThat(Schedule.find("KARRAS")).isEqualTo(Schedule.KARRAS);
        assertThat(Schedule.find("sgm uniform")).isEqualTo(Schedule.SGM_UNIFORM);
        assertThat(Schedule.find("SGMUniform")).isEqualTo(Schedule.SGM_UNIFORM);
        assertThat(Schedule.find(" automatic ")).isEqualTo(Schedule.AUTOMATIC);
        for (Schedule schedule : Schedule.values()) {
            assertThat(Schedule.find(schedule.label())).isEqualTo(schedule);
            assertThat(Schedule.find(schedule.id())).isEqualTo(schedule);
        }
        assertThatThrownBy(() -> Schedule.find("karas")).isInstanceOf(KilnException.class).hasMessageContaining("Karras");
    }

    @Test
    void aTableThatDoesNotFallIsRefused() {
        assertThatThrownBy(() -> new ModelSampling(new float[] {0.9f, 0.95f}))
                .isInstanceOf(KilnException.class)
                .hasMessageContaining("entry 1");
        assertThatThrownBy(() -> new ModelSampling(new float[] {0.9f, Float.NaN})).isInstanceOf(KilnException.class);
        assertThatThrownBy(() -> new ModelSampling(new float[] {0.9f})).isInstanceOf(KilnException.class);
    }
}
