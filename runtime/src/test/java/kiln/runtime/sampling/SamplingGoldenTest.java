package kiln.runtime.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Every sampler with every schedule against torch (src/test/oracle/sampling_golden.py), with a formula in the network's place. */
class SamplingGoldenTest {
    /** Both sides round each operation to float32; levels near 15 leave about 1e-6 a step. */
    private static final float TOLERANCE = 1e-5f;

    private static final int SIZE = 8;
    private final JsonNode golden = read();
    private final ModelSampling sampling = ModelSampling.sd1();

    private static JsonNode read() {
        try (InputStream in = SamplingGoldenTest.class.getResourceAsStream("/sampling/runs.json")) {
            return new ObjectMapper().readTree(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static float[] wave(int draw) {
        float[] values = new float[SIZE];
        for (int i = 0; i < SIZE; i++) {
            values[i] = (float) (1.5 * Math.sin(1.7 * i + 2.3 * draw + 0.4));
        }
        return values;
    }

    @Test
    void schedulesGiveTheOraclesLevels() {
        for (JsonNode level : golden.get("levels")) {
            Schedule schedule = Schedule.find(level.get("schedule").asText());
            float[] sigmas = schedule.sigmas(level.get("steps").asInt(), sampling, LevelOptions.DEFAULTS);
            assertClose(schedule + " " + level.get("steps"), sigmas, level.get("sigmas"));
        }
    }

    @Test
    void runsEqualTheOracles() {
        assertThat(golden.get("runs").size()).isGreaterThan(300);
        for (JsonNode run : golden.get("runs")) {
            SamplerChoice choice = SamplerChoice.find(run.get("sampler").asText(), run.get("schedule").asText());
            int steps = run.get("steps").asInt();
            String name = choice + " " + steps;
            int[] calls = {0};
            int[] draws = {0};
            List<float[]> denoised = new ArrayList<>();
            SamplingPlan plan = SamplingPlan.fromNoise(choice, steps, SamplerOptions.DEFAULTS, sampling);
            float[] x = plan.run(
                    plan.start(wave(0)),
                    new ModelDenoiser((input, timestep, level) -> {
                        calls[0]++;
                        float[] eps = new float[SIZE];
                        for (int i = 0; i < SIZE; i++) {
                            eps[i] = (float) Math.tanh(input[i]) * 0.7f + 0.1f * timestep / 1000;
                        }
                        return GuidedOutput.of(eps);
                    }, sampling, Prediction.EPS),
                    new StepNoise() {
                        @Override
                        public void fill(float[] target) {
                            System.arraycopy(wave(++draws[0]), 0, target, 0, SIZE);
                        }

                        @Override
                        public void skip(int count) {
                            draws[0]++;
                        }

                        @Override
                        public void fillBetween(float[] target, float sigma, float nextSigma) {
                            throw new AssertionError("no sampler here takes Brownian noise");
                        }
                    },
                    (step, of, sigma, estimate) -> {
                        denoised.add(estimate);
                        assertThat(step).as(name).isEqualTo(denoised.size()).isLessThanOrEqualTo(of);
                    });
            assertClose(name, x, run.get("x"));
            assertThat(calls[0]).as(name + " calls").isEqualTo(run.get("calls").asInt())
                    .isEqualTo(plan.networkCalls());
            assertThat(draws[0]).as(name + " draws").isEqualTo(run.get("draws").asInt());
            if (run.has("denoised")) {
                assertThat(denoised).as(name).hasSize(run.get("denoised").size());
                for (int i = 0; i < denoised.size(); i++) {
                    assertClose(name + " step " + i, denoised.get(i), run.get("denoised").get(i));
                }
            }
        }
    }

    private static void assertClose(String name, float[] found, JsonNode expected) {
        assertThat(found.length).as(name).isEqualTo(expected.size());
        for (int i = 0; i < found.length; i++) {
            float wanted = (float) expected.get(i).asDouble();
            float allowed = TOLERANCE * Math.max(1, Math.abs(wanted));
            assertThat(Math.abs(found[i] - wanted)).as("%s [%d]: %s for %s", name, i, found[i], wanted).isLessThanOrEqualTo(allowed);
        }
    }
}
