package kiln.runtime.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import kiln.runtime.Vectors;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Noise levels, timesteps, where img2img begins, and names, against A1111. */
class SchedulesVectorsTest {
    /** A few roundings to float32. */
    private static final double RELATIVE = 5e-6;

    @TestFactory
    List<DynamicTest> schedulesAreTheOriginals() {
        List<DynamicTest> tests = new ArrayList<>();
        for (JsonNode given : Vectors.cases("schedules.json")) {
            String name = given.get("case") + (given.has("names") ? " " + given.get("names") : " " + given.get("sampler").asText());
            tests.add(DynamicTest.dynamicTest(name, () -> {
                if (given.has("names")) {
                    checkNames(given);
                } else {
                    checkLevels(given);
                }
            }));
        }
        assertThat(tests).isNotEmpty();
        return tests;
    }

    private static void checkNames(JsonNode given) {
        JsonNode names = given.get("names");
        SamplerChoice choice = SamplerChoice.ofInfotext(
                names.get(0).textValue(), names.get(1).textValue(), given.get("convert_automatic").asBoolean());
        assertThat(choice.sampler().label()).isEqualTo(given.get("means").get(0).asText());
        assertThat(choice.schedule().label()).isEqualTo(given.get("means").get(1).asText());
    }

    private static void checkLevels(JsonNode given) {
        Map<String, Object> settings = new HashMap<>();
        if (given.has("settings")) {
            given.get("settings").fields().forEachRemaining(
                    entry -> settings.put(entry.getKey(), new ObjectMapper().convertValue(entry.getValue(), Object.class)));
        }
        SamplerOptions options = SamplerOptions.of(settings);
        String schedule = given.has("schedule") ? given.get("schedule").asText() : "Automatic";
        SamplerChoice choice = SamplerChoice.find(given.get("sampler").asText(), schedule);
        int steps = given.get("steps").asInt();
        ModelSampling sampling = given.has("sdxl") ? ModelSampling.sdxl() : ModelSampling.sd1();
        if (!given.has("denoising_strength")) {
            SamplingPlan plan = SamplingPlan.fromNoise(choice, steps, options, sampling);
            if (given.has("timesteps")) {
                assertThat(plan.timesteps()).containsExactly(new ObjectMapper().convertValue(given.get("timesteps"), int[].class));
            } else {
                close(plan.sigmas(), given.get("sigmas"));
            }
            return;
        }
        int fixed = given.has("explicit_steps") ? given.get("explicit_steps").asInt() : 0;
        if (Boolean.TRUE.equals(settings.get("img2img_fix_steps")) && fixed == 0) {
            fixed = steps;
        }
        ImageStart start = new ImageStart(given.get("denoising_strength").asDouble(), fixed, 1, 0);
        SamplingPlan plan = SamplingPlan.fromLatent(choice, steps, options, sampling, start);
        assertThat(start.scheduleSteps(steps)).isEqualTo(given.get("schedule_steps").asInt());
        assertThat(start.encodedSteps(steps)).isEqualTo(given.get("t_enc").asInt());
        assertThat(plan.firstIndex()).isEqualTo(given.get("from").asInt());
        assertThat(plan.sigmas()).hasSize(given.get("levels").asInt());
        float[] walked = plan.walkedSigmas();
        JsonNode first = given.get("start");
        assertThat(first.size()).isEqualTo(Math.min(2, walked.length));
        close(Arrays.copyOf(walked, first.size()), first);
    }

    private static void close(float[] found, JsonNode expected) {
        assertThat(found).hasSize(expected.size());
        for (int i = 0; i < found.length; i++) {
            double wanted = expected.get(i).asDouble();
            assertThat((double) found[i]).as("level %d", i).isCloseTo(wanted, within(RELATIVE * Math.abs(wanted)));
        }
    }
}
