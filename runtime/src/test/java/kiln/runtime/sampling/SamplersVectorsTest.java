package kiln.runtime.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import kiln.runtime.Vectors;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Whole runs of every sampler on a model that is a formula, against A1111 and its k-diffusion in double precision. */
class SamplersVectorsTest {
    private static final int SIZE = 16;

    /** What float32 leaves, relative to the largest number; the original's own float32 run may say more. */
    private static final double FLOAT32 = 1e-5;

    private static final double ORIGINALS_FLOAT32 = 10;

    /**
     * DPM adaptive goes by a small difference of two solutions: a network's answers rounded to float32, all else in double precision,
     * move its levels by up to 1.4e-5.
     */
    private static final double ADAPTIVE_LEVEL = 3e-5;

    /** Neighbouring logarithms lie about 5e-3 apart, so float32 leaves about 1e-4 of a timestep. */
    private static final double TIMESTEP = 5e-4;

    private static double noise(int i, int draw) {
        return Math.sqrt(2) * Math.sin(0.5 + 1.7 * i + 2.3 * draw);
    }

    /** One run, and what was seen of it. */
    private static final class Run implements GuidedNetwork, StepNoise {
        private final JsonNode given;
        private final SamplingPlan plan;
        private final Guidance guidance;
        private final double cfgScale;
        private final List<Float> levels = new ArrayList<>();
        private final List<Float> timesteps = new ArrayList<>();
        private final List<float[]> intervals = new ArrayList<>();
        private int draws;
        private int steps;

        Run(JsonNode given) {
            this.given = given;
            Map<String, Object> settings = settings(given);
            SamplerOptions options = SamplerOptions.of(settings);
            if (given.has("eta")) {
                options = options.withEta(given.get("eta").asDouble());
            }
            String schedule = given.has("schedule") ? given.get("schedule").asText() : "Automatic";
            SamplerChoice choice = SamplerChoice.find(given.get("sampler").asText(), schedule);
            assertThat(choice.sampler().label()).isEqualTo(given.get("sampler").asText());
            int count = given.get("steps").asInt();
            ModelSampling sampling = ModelSampling.sd1();
            plan = given.has("denoising_strength")
                    ? SamplingPlan.fromLatent(choice, count, options, sampling, start(settings))
                    : SamplingPlan.fromNoise(choice, count, options, sampling);
            cfgScale = number(given, "cfg_scale", 1) * choice.sampler().cfgScaleFactor();
            guidance = new Guidance(
                    ((Number) settings.getOrDefault("skip_early_cond", 0)).doubleValue(),
                    number(given, "s_min_uncond", 0),
                    Boolean.TRUE.equals(settings.get("s_min_uncond_all")));
        }

        static Map<String, Object> settings(JsonNode given) {
            Map<String, Object> settings = new HashMap<>();
            if (given.has("settings")) {
                given.get("settings").fields().forEachRemaining(
                        entry -> settings.put(entry.getKey(), new ObjectMapper().convertValue(entry.getValue(), Object.class)));
            }
            return settings;
        }

        static double number(JsonNode given, String name, double usual) {
            return given.has(name) ? given.get(name).asDouble() : usual;
        }

        private ImageStart start(Map<String, Object> settings) {
            return new ImageStart(
                    given.get("denoising_strength").asDouble(),
                    Boolean.TRUE.equals(settings.get("img2img_fix_steps")) ? given.get("steps").asInt() : 0,
                    1,
                    ((Number) settings.getOrDefault("img2img_extra_noise", 0)).doubleValue());
        }

        float[] sample() {
            float[] first = new float[SIZE];
            float[] latent = new float[SIZE];
            float[] mask = new float[SIZE];
            for (int i = 0; i < SIZE; i++) {
                first[i] = (float) (1.3 * Math.cos(0.3 + 1.1 * i));
                latent[i] = (float) (0.9 * Math.sin(0.2 + 0.5 * i));
                mask[i] = 5 * i % 16 / 15f;
            }
            ModelDenoiser model = new ModelDenoiser(this, ModelSampling.sd1(), Prediction.EPS);
            if (given.has("mask")) {
                model = model.keeping(mask, latent);
            }
            float[] x = given.has("denoising_strength") ? plan.start(latent, first) : plan.start(first);
            return plan.run(x, model, this, (step, of, sigma, denoised) -> {
                assertThat(step).isEqualTo(++steps).isLessThanOrEqualTo(of);
                assertThat(denoised).hasSize(SIZE);
                for (float value : denoised) {
                    assertThat(value).isFinite();
                }
            });
        }

        @Override
        public GuidedOutput predict(float[] input, float timestep, float level) {
            boolean both = guidance.needsUnconditional(levels.size(), plan.expectedCalls(), level);
            levels.add(level);
            timesteps.add(timestep);
            float[] guided = new float[SIZE];
            float[] unconditional = new float[SIZE];
            for (int i = 0; i < SIZE; i++) {
                double c = eps(input[i], i, timestep, 0);
                double u = both ? eps(input[i], i, timestep, 0.9) : c;
                guided[i] = (float) (u + cfgScale * (c - u));
                unconditional[i] = (float) u;
            }
            return new GuidedOutput(guided, unconditional);
        }

        private static double eps(double x, int i, double timestep, double phi) {
            return 0.85 * x + 0.3 * Math.sin(1.5 * x + 0.7 * i + 3 * timestep / 1000 + phi);
        }

        @Override
        public void fill(float[] target) {
            for (int i = 0; i < SIZE; i++) {
                target[i] = (float) noise(i, draws);
            }
            draws++;
        }

        @Override
        public void skip(int count) {
            draws++;
        }

        @Override
        public void fillBetween(float[] target, float sigma, float nextSigma) {
            intervals.add(new float[] {sigma, nextSigma});
            fill(target);
        }
    }

    @TestFactory
    List<DynamicTest> runsAreTheOriginals() {
        List<DynamicTest> tests = new ArrayList<>();
        for (JsonNode given : Vectors.cases("samplers.json")) {
            String name = given.get("case") + " " + given.get("sampler").asText() + " " + given.get("steps");
            tests.add(DynamicTest.dynamicTest(name, () -> check(given)));
        }
        assertThat(tests).isNotEmpty();
        return tests;
    }

    private static void check(JsonNode given) {
        Run run = new Run(given);
        float[] x = run.sample();
        for (float value : x) {
            assertThat(value).isFinite();
        }
        if (given.has("error")) {
            // Where the original fails there is a picture here.
            assertThat(run.levels).isNotEmpty();
            return;
        }
        checkPlan(given, run.plan);
        ModelSampling sampling = ModelSampling.sd1();
        double level = run.plan.sampler() == Sampler.DPM_ADAPTIVE ? ADAPTIVE_LEVEL : FLOAT32;
        close("call", run.levels, given.get("calls"), level);
        if (given.has("t")) {
            assertThat(run.timesteps).hasSize(given.get("t").size());
            for (int i = 0; i < run.timesteps.size(); i++) {
                // And what the tolerance of the level makes of a timestep.
                float found = run.levels.get(i);
                double allowed = TIMESTEP + sampling.timestep((float) (found * (1 + level))) - sampling.timestep(found);
                assertThat((double) run.timesteps.get(i)).as("timestep %d", i).isCloseTo(given.get("t").get(i).asDouble(), within(allowed));
            }
        }
        assertThat(run.draws).as("draws").isEqualTo(given.get("draws").asInt());
        if (given.has("noise_intervals")) {
            for (int i = 0; i < run.intervals.size(); i++) {
                List<Float> ends = List.of(run.intervals.get(i)[0], run.intervals.get(i)[1]);
                close("interval " + i, ends, given.get("noise_intervals").get(i), FLOAT32);
            }
        }
        if (run.plan.sampler() != Sampler.DPM_ADAPTIVE) {
            assertThat(run.plan.networkCalls()).as("planned calls").isEqualTo(run.levels.size());
        }
        double largest = 0;
        for (JsonNode value : given.get("final")) {
            largest = Math.max(largest, Math.abs(value.asDouble()));
        }
        double allowed = Math.max(FLOAT32, ORIGINALS_FLOAT32 * given.get("f32").asDouble()) * largest;
        for (int i = 0; i < SIZE; i++) {
            assertThat((double) x[i]).as("number %d", i).isCloseTo(given.get("final").get(i).asDouble(), within(allowed));
        }
    }

    private static void checkPlan(JsonNode given, SamplingPlan plan) {
        if (given.has("timesteps")) {
            assertThat(plan.timesteps()).containsExactly(new ObjectMapper().convertValue(given.get("timesteps"), int[].class));
        } else {
            List<Float> levels = new ArrayList<>();
            for (float sigma : plan.sigmas()) {
                levels.add(sigma);
            }
            close("level", levels, given.get("sigmas"), FLOAT32);
        }
    }

    private static void close(String what, List<Float> found, JsonNode expected, double relative) {
        assertThat(found).as(what + "s").hasSize(expected.size());
        for (int i = 0; i < found.size(); i++) {
            double wanted = expected.get(i).asDouble();
            assertThat((double) found.get(i)).as("%s %d", what, i).isCloseTo(wanted, within(relative * Math.abs(wanted)));
        }
    }
}
