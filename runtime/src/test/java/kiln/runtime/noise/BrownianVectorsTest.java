package kiln.runtime.noise;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import kiln.runtime.Vectors;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The noise of SDE samplers against k-diffusion on torchsde, and the words that seed it against numpy. */
class BrownianVectorsTest {
    /** Sums of some twenty float32 numbers up to 4 over the root of an interval's length. */
    private static final double NUMBER = 2e-6;

    @TestFactory
    List<DynamicTest> noiseIsTheOriginals() {
        List<DynamicTest> tests = new ArrayList<>();
        for (JsonNode given : Vectors.cases("brownian.json")) {
            tests.add(DynamicTest.dynamicTest("case " + given.get("case"), () -> {
                if (given.has("entropy")) {
                    checkWords(given);
                } else {
                    checkDraws(given);
                }
            }));
        }
        assertThat(tests).isNotEmpty();
        return tests;
    }

    private static void checkWords(JsonNode given) {
        int[] state = new SeedSequence(
                        given.get("entropy").asLong(), NoiseVectorsTest.longs(given.get("spawn_key")), given.get("pool_size").asInt())
                .state(given.get("state").size());
        for (int i = 0; i < state.length; i++) {
            assertThat(Integer.toUnsignedLong(state[i])).as("word %d", i).isEqualTo(given.get("state").get(i).asLong());
        }
    }

    private static void checkDraws(JsonNode given) {
        JsonNode shape = given.get("shape");
        int size = shape.get(1).asInt() * shape.get(2).asInt() * shape.get(3).asInt();
        JsonNode range = given.get("sigma_range");
        BrownianNoise noise = new BrownianNoise(
                NoiseOptions.of(NoiseKind.valueOf(given.get("source").asText())),
                NoiseVectorsTest.longs(given.get("seeds")),
                size,
                (float) range.get(0).asDouble(),
                (float) range.get(1).asDouble());
        float[] values = new float[shape.get(0).asInt() * size];
        for (int i = 0; i < given.get("intervals").size(); i++) {
            JsonNode ends = given.get("intervals").get(i);
            noise.fill(values, (float) ends.get(0).asDouble(), (float) ends.get(1).asDouble());
            JsonNode expected = i < given.get("draws").size() ? given.get("draws").get(i) : null;
            if (expected == null || expected.isTextual()) {
                // The original's tree has no end below six digits, and it gives up: the noise of no time at all is none here.
                for (float value : values) {
                    assertThat(value).as("interval %s", ends).isFinite();
                }
            } else {
                NoiseVectorsTest.close("interval " + ends, values, NUMBER, expected);
            }
        }
    }
}
