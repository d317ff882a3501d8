package kiln.runtime.noise;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import kiln.runtime.Vectors;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** First noise of a batch and the draws after it, against A1111's ImageRNG on torch and on its Philox. */
class NoiseVectorsTest {
    /** One or two units in the last place of numbers up to 5, which torch's vector paths differ by. */
    private static final double NUMBER = 5e-7;

    private static final double SUM = 1e-3;

    @TestFactory
    List<DynamicTest> noiseIsTheOriginals() {
        List<DynamicTest> tests = new ArrayList<>();
        for (JsonNode given : Vectors.cases("rng.json")) {
            tests.add(DynamicTest.dynamicTest(given.get("case") + " " + given.get("source").asText(), () -> check(given)));
        }
        assertThat(tests).isNotEmpty();
        return tests;
    }

    static long[] longs(JsonNode array) {
        long[] values = new long[array == null ? 0 : array.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = array.get(i).asLong();
        }
        return values;
    }

    private static void check(JsonNode given) {
        NoiseOptions options = new NoiseOptions(
                NoiseKind.valueOf(given.get("source").asText()),
                CardProfile.USUAL,
                given.has("ensd") ? given.get("ensd").asLong() : 0,
                0,
                given.has("subseed_strength") ? given.get("subseed_strength").asDouble() : 0,
                given.has("resize_from_w") ? given.get("resize_from_w").asInt() : 0,
                given.has("resize_from_h") ? given.get("resize_from_h").asInt() : 0);
        JsonNode shape = given.get("shape");
        LatentShape latent = new LatentShape(shape.get(0).asInt(), shape.get(1).asInt(), shape.get(2).asInt());
        long[] seeds = longs(given.get("seeds"));
        long[] variations = longs(given.get("subseeds"));
        ImageNoise noise = new ImageNoise(options, seeds, variations, latent);
        float[] values = new float[seeds.length * latent.size()];
        noise.next(values);
        close("first", values, NUMBER, given.get("noise"));
        for (JsonNode then : given.get("then")) {
            noise.next(values);
            close("then", values, NUMBER, then);
        }
        ImageNoise skipping = new ImageNoise(options, seeds, variations, latent);
        skipping.next(values);
        for (int i = 1; i < given.get("then").size(); i++) {
            skipping.skip();
        }
        skipping.next(values);
        close("after skipped draws", values, NUMBER, given.get("then").get(given.get("then").size() - 1));
    }

    /** Compares all numbers where the file has them, else the first, the last and sums. */
    static void close(String what, float[] values, double number, JsonNode expected) {
        if (expected.has("values") || expected.isArray()) {
            JsonNode all = expected.isArray() ? expected : expected.get("values");
            assertThat(values).hasSize(all.size());
            closeFrom(what, values, 0, number, all);
            return;
        }
        closeFrom(what, values, 0, number, expected.get("first"));
        closeFrom(what, values, values.length - expected.get("last").size(), number, expected.get("last"));
        double sum = 0;
        double squares = 0;
        for (float value : values) {
            sum += value;
            squares += (double) value * value;
        }
        assertThat(sum).as("%s, sum", what).isCloseTo(expected.get("sum").asDouble(), within(SUM));
        assertThat(squares).as("%s, sum of squares", what).isCloseTo(expected.get("sum_of_squares").asDouble(), within(SUM));
    }

    private static void closeFrom(String what, float[] values, int from, double number, JsonNode expected) {
        for (int i = 0; i < expected.size(); i++) {
            // A float32 printed with eight digits, which tell it from its neighbours.
            double wanted = (float) expected.get(i).asDouble();
            assertThat((double) values[from + i]).as("%s, number %d", what, from + i).isCloseTo(wanted, within(number));
        }
    }
}
