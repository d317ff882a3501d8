package kiln.runtime.text;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What A1111 1.10.1 itself makes of prompts; README.md beside prompts.json says what the fields mean. */
class PromptsVectorsTest {
    /** Weights are printed with twelve digits. */
    private static final Offset<Double> PRINTED = Offset.offset(1e-9);

    private static final JsonNode VECTORS = read();
    private static final ClipTokenizer TOKENIZER = ClipTokenizer.load();
    private static final EmbeddingVocabulary EMBEDDINGS = EmbeddingVocabulary.of(TOKENIZER, embeddings());

    static Stream<Arguments> prompts() {
        return cases().filter(c -> c.has("prompt")).map(c -> Arguments.of(c.get("case").asInt(), c));
    }

    static Stream<Arguments> emphases() {
        return cases().filter(c -> c.has("emphasis")).map(c -> Arguments.of(c.get("case").asInt(), c));
    }

    @Test
    void everyCaseIsRun() {
        assertThat(prompts().count() + emphases().count()).isEqualTo(VECTORS.get("cases").size()).isPositive();
    }

    @ParameterizedTest(name = "case {0}")
    @MethodSource("prompts")
    void givesTheSamePiecesAndWeights(int number, JsonNode c) {
        List<WeightedText> pieces = PromptParser.attention(c.get("prompt").asText());
        JsonNode expected = c.get("attention");
        if (expected.has("error")) {
            // The original stops at a weight that is no number ("could not convert string to float: '1.2.3'"); here it is text.
            String weight = expected.get("error").asText().split("'")[1];
            assertThat(pieces.stream().map(WeightedText::text).collect(Collectors.joining())).contains(":" + weight);
            return;
        }
        assertThat(pieces).extracting(WeightedText::text).isEqualTo(texts(expected, 0));
        for (int i = 0; i < expected.size(); i++) {
            assertThat(pieces.get(i).weight()).isCloseTo(expected.get(i).get(1).asDouble(), PRINTED);
        }
    }

    @ParameterizedTest(name = "case {0}")
    @MethodSource("prompts")
    void givesTheSameSchedules(int number, JsonNode c) {
        schedule(c, "schedule_20", ScheduleSteps.first(20));
        schedule(c, "schedule_10", ScheduleSteps.first(10));
        schedule(c, "schedule_20_hires_15", ScheduleSteps.second(20, 15));
        schedule(c, "schedule_20_old", ScheduleSteps.before16(20));
        schedule(c, "schedule_20_hires_15_old", ScheduleSteps.before16(20));
        if (c.has("active_20")) {
            PromptSchedule schedule = PromptSchedule.of(c.get("prompt").asText(), ScheduleSteps.first(20));
            for (int call = 0; call < c.get("active_20").size(); call++) {
                assertThat(schedule.at(call)).isEqualTo(schedule.entries().get(c.get("active_20").get(call).asInt()));
            }
        }
    }

    private static void schedule(JsonNode c, String field, ScheduleSteps steps) {
        if (!c.has(field)) {
            return;
        }
        List<PromptSchedule.Entry> entries = PromptSchedule.of(c.get("prompt").asText(), steps).entries();
        List<List<Object>> actual = shortened(entries.stream().map(entry -> List.<Object>of(entry.until(), entry.text())).toList());
        if (c.has("ambiguous_" + field)) {
            // The original's reading changes from run to run: any of its readings will do.
            assertThat(c.get("ambiguous_" + field)).anySatisfy(reading -> assertThat(actual).isEqualTo(values(reading)));
        } else {
            assertThat(actual).as(field).isEqualTo(values(c.get(field)));
        }
    }

    /** As the file shortens lists of more than six. */
    private static List<List<Object>> shortened(List<List<Object>> entries) {
        if (entries.size() <= 10) {
            return entries;
        }
        List<List<Object>> shortened = new ArrayList<>(entries.subList(0, 6));
        shortened.add(List.of("…", entries.size()));
        return shortened;
    }

    private static List<List<Object>> values(JsonNode pairs) {
        List<List<Object>> values = new ArrayList<>();
        for (JsonNode pair : pairs) {
            values.add(List.of(value(pair.get(0)), value(pair.get(1))));
        }
        return values;
    }

    private static Object value(JsonNode node) {
        return node.isNumber() ? (Object) node.asInt() : node.asText();
    }

    @ParameterizedTest(name = "case {0}")
    @MethodSource("prompts")
    void splitsCutsAndStripsAlike(int number, JsonNode c) {
        String prompt = c.get("prompt").asText();
        CompositePrompt composite = CompositePrompt.split(prompt);
        if (c.has("and")) {
            assertThat(composite.parts()).extracting(CompositePrompt.Part::text).isEqualTo(texts(c.get("and"), 0));
            for (int i = 0; i < composite.parts().size(); i++) {
                assertThat(composite.parts().get(i).weight()).isCloseTo(c.get("and").get(i).get(1).asDouble(), PRINTED);
            }
        } else {
            assertThat(composite.parts()).containsExactly(new CompositePrompt.Part(prompt, 1));
        }
        ExtraNetworks cut = ExtraNetworks.cut(prompt);
        JsonNode networks = c.get("networks");
        assertThat(cut.text()).isEqualTo(networks == null ? prompt : networks.get("prompt").asText());
        assertThat(cut.networks()).hasSize(networks == null ? 0 : networks.get("found").size());
        for (int i = 0; i < cut.networks().size(); i++) {
            ExtraNetwork network = cut.networks().get(i);
            JsonNode expected = networks.get("found").get(i);
            assertThat(network.name()).isEqualTo(expected.get(0).asText());
            assertThat(network.items()).isEqualTo(texts(expected.get(1).get("items")));
            assertThat(network.positional()).isEqualTo(texts(expected.get(1).get("positional")));
            Map<String, String> named = new LinkedHashMap<>();
            expected.get(1).get("named").fields().forEachRemaining(e -> named.put(e.getKey(), e.getValue().asText()));
            assertThat(network.named()).isEqualTo(named);
        }
        String withoutComments = c.has("without_comments") ? c.get("without_comments").asText() : prompt;
        assertThat(PromptComments.strip(prompt)).isEqualTo(withoutComments);
    }

    @ParameterizedTest(name = "case {0}")
    @MethodSource("prompts")
    void givesTheSameChunks(int number, JsonNode c) {
        PromptOptions options = PromptOptions.DEFAULT.withEmbeddings(EMBEDDINGS);
        chunks(c, "tokenized", options);
        chunks(c, "tokenized_emphasis_none", options.withEmphasis(EmphasisMode.NONE));
        for (int backtrack : new int[] {0, 5, 10, 20, 30, 40, 50, 60, 74}) {
            JsonNode expected = c.get("chunk_sizes_backtrack_" + backtrack);
            if (expected != null) {
                PromptChunks chunks = PromptChunks.parse(TOKENIZER, c.get("prompt").asText(), options.withCommaBacktrack(backtrack));
                assertThat(chunks.chunks()).extracting(chunk -> size(chunk)).isEqualTo(numbers(expected));
            }
        }
    }

    private static void chunks(JsonNode c, String field, PromptOptions options) {
        JsonNode expected = c.get(field);
        if (expected == null) {
            return;
        }
        PromptChunks actual = PromptChunks.parse(TOKENIZER, c.get("prompt").asText(), options);
        if (expected.has("error")) {
            assertThat(actual.used()).as("a weight that is no number is text").isPositive();
            return;
        }
        assertThat(actual.used()).isEqualTo(expected.get("count").asInt());
        assertThat(actual.chunks()).hasSize(expected.get("chunks").size());
        for (int i = 0; i < actual.chunks().size(); i++) {
            chunk(actual.chunks().get(i), expected.get("chunks").get(i));
        }
    }

    private static void chunk(TokenChunk actual, JsonNode expected) {
        List<Integer> ids = numbers(expected.get("tokens"));
        float[] weights = runs(expected.get("weights"), ids.size());
        for (int i = 0; i < TokenChunk.LENGTH; i++) {
            boolean token = i >= 1 && i <= ids.size();
            int id = token ? ids.get(i - 1) : i == 0 ? ClipTokenizer.START : ClipTokenizer.END;
            assertThat(actual.ids()[i]).as("token %d", i).isEqualTo(id);
            assertThat(actual.weights()[i]).as("weight %d", i).isEqualTo(token ? weights[i - 1] : 1, Offset.offset(1e-6f));
        }
        List<List<Object>> places = expected.has("embeddings") ? values(expected.get("embeddings")) : List.of();
        assertThat(actual.embeddings()).extracting(place -> List.<Object>of(place.position() - 1, place.name())).isEqualTo(places);
        for (EmbeddingPlace place : actual.embeddings()) {
            assertThat(place.vectors()).isEqualTo(embeddings().get(place.name()));
        }
    }

    /** In which only the number of tokens is given, padding told from text by its id. */
    private static int size(TokenChunk chunk) {
        return (int) Arrays.stream(chunk.ids()).filter(id -> id < ClipTokenizer.START).count();
    }

    @ParameterizedTest(name = "case {0}", allowZeroInvocations = true)
    @MethodSource("emphases")
    void weighsAlike(int number, JsonNode c) {
        int width = 4;
        List<float[]> contexts = new ArrayList<>();
        List<float[]> weights = new ArrayList<>();
        for (int b = 0; b < c.get("batch").asInt(); b++) {
            float[] context = new float[TokenChunk.LENGTH * width];
            for (int i = 0; i < context.length; i++) {
                int t = i / width;
                context[i] = (float) (Math.sin(0.3 * b + 0.11 * t + 0.7 * (i % width)) + 0.2 * Math.cos(0.05 * t) + 0.1);
            }
            contexts.add(context);
            weights.add(runs(c.get("weights").get(b), TokenChunk.LENGTH));
        }
        int[] once = new int[contexts.size()];
        Arrays.fill(once, 1);
        EmphasisMode mode = EmphasisMode.find(c.get("emphasis").asText()).orElseThrow();
        Emphasis.apply(contexts, weights, once, mode);
        JsonNode expected = c.get("tokens_0_to_11");
        int shown = 12 * width;
        assertThat(expected).hasSize(contexts.size() * shown);
        for (int i = 0; i < expected.size(); i++) {
            double value = expected.get(i).asDouble();
            // Sums in single precision, and nine printed digits.
            assertThat((double) contexts.get(i / shown)[i % shown]).isCloseTo(value, Offset.offset(2e-6 * Math.max(1, Math.abs(value))));
        }
    }

    private static float[] runs(JsonNode runs, int length) {
        float[] all = new float[length];
        int at = 0;
        for (JsonNode run : runs) {
            for (int i = 0; i < run.get(0).asInt(); i++) {
                all[at++] = (float) run.get(1).asDouble();
            }
        }
        assertThat(at).isEqualTo(length);
        return all;
    }

    private static List<String> texts(JsonNode rows, int column) {
        List<String> texts = new ArrayList<>();
        rows.forEach(row -> texts.add(row.get(column).asText()));
        return texts;
    }

    private static List<String> texts(JsonNode values) {
        List<String> texts = new ArrayList<>();
        values.forEach(value -> texts.add(value.asText()));
        return texts;
    }

    private static List<Integer> numbers(JsonNode values) {
        List<Integer> numbers = new ArrayList<>();
        values.forEach(value -> numbers.add(value.asInt()));
        return numbers;
    }

    private static Map<String, Integer> embeddings() {
        Map<String, Integer> embeddings = new LinkedHashMap<>();
        VECTORS.get("header").get("embeddings").fields().forEachRemaining(e -> embeddings.put(e.getKey(), e.getValue().asInt()));
        return embeddings;
    }

    private static Stream<JsonNode> cases() {
        List<JsonNode> cases = new ArrayList<>();
        VECTORS.get("cases").forEach(cases::add);
        return cases.stream();
    }

    private static JsonNode read() {
        String folder = System.getProperty("kiln.vectors", "");
        try (InputStream in = folder.isBlank()
                ? PromptsVectorsTest.class.getResourceAsStream("/vectors/prompts.json")
                : Files.newInputStream(Path.of(folder, "prompts.json"))) {
            return new ObjectMapper().readTree(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
