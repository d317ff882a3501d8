package kiln.runtime.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import kiln.runtime.Vectors;
import kiln.runtime.base.Precision;
import kiln.runtime.exec.Executor;
import kiln.runtime.exec.onednn.OneDnn;
import kiln.runtime.exec.onednn.OneDnnExecutor;
import kiln.runtime.exec.reference.ReferenceExecutor;
import kiln.runtime.family.ModelFiles;
import kiln.runtime.image.Picture;
import kiln.runtime.job.GenerationEvent.GeneratedPicture;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.job.PictureSink;
import kiln.runtime.noise.NoiseKind;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Whole runs of the demo model as A1111's own text side, guidance, samplers and noise make them: those that a request can ask for today. */
class RunsVectorsTest {
    /** A run with any other word needs a setting that requests do not have yet. */
    private static final Set<String> ASKED_FOR = Set.of(
            "case", "prompt", "negative", "sampler", "schedule", "steps", "seed", "clip_skip", "cfg_scale", "rng", "latent", "evaluations",
            "sensitivity", "max");

    private static final double TOLERANCE = 1e-3;

    private static ModelSession session;

    @BeforeAll
    static void open() {
        ModelFiles files = ModelFiles.open(Path.of("demo", "kiln-demo.safetensors"));
        session = new ModelSession(files, RunsVectorsTest::executor);
    }

    private static Executor executor(ModelFiles files) {
        return OneDnn.unavailableBecause() == null ? new OneDnnExecutor(files, Precision.F32) : new ReferenceExecutor(files);
    }

    @AfterAll
    static void close() {
        session.close();
    }

    static Stream<Arguments> runs() {
        return Vectors.cases("runs.json").stream()
                .filter(RunsVectorsTest::canBeAskedFor)
                .map(run -> Arguments.of(run.get("case").asInt(), run.get("prompt").asText(), run));
    }

    private static boolean canBeAskedFor(JsonNode run) {
        List<String> words = new ArrayList<>();
        run.fieldNames().forEachRemaining(words::add);
        return ASKED_FOR.containsAll(words);
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("runs")
    void theLatentIsTheOriginals(int number, String prompt, JsonNode run) throws IOException {
        GenerationRequest request = GenerationRequest.builder()
                .prompt(prompt)
                .negativePrompt(run.path("negative").asText(""))
                .sampler(run.get("sampler").asText())
                .schedule(run.path("schedule").asText("Automatic"))
                .steps(run.get("steps").asInt())
                .seed(run.get("seed").asLong())
                .clipSkip(run.path("clip_skip").asInt(1))
                .cfgScale(run.path("cfg_scale").asDouble(4))
                .noise(NoiseKind.valueOf(run.path("rng").asText("CPU")))
                .width(128)
                .height(128)
                .build();
        float[] expected = expected(run.get("latent").asText());
        float[] found = latent(request);
        assertThat(found).hasSameSizeAs(expected);
        double allowed = run.get("max").asDouble() * Math.max(TOLERANCE, 1e-4 * run.get("sensitivity").asDouble());
        double furthest = 0;
        for (int i = 0; i < expected.length; i++) {
            furthest = Math.max(furthest, Math.abs(found[i] - expected[i]));
        }
        assertThat(furthest).as("run %d: the value that is furthest off", number).isLessThanOrEqualTo(allowed);
    }

    private static float[] latent(GenerationRequest request) {
        float[][] latents = new float[1][];
        PictureSink sink = new PictureSink() {
            @Override
            public void latent(int index, long seed, float[] latent, int height, int width) {
                latents[0] = latent;
            }

            @Override
            public GeneratedPicture picture(int index, long seed, Picture image) {
                return new GeneratedPicture(index, seed, image, "", null);
            }
        };
        new TextToImage(session, request, sink, () -> false, event -> {}).run();
        return latents[0];
    }

    /** An array of 32-bit floats as numpy writes it. */
    private static float[] expected(String name) throws IOException {
        String folder = System.getProperty("kiln.vectors", "");
        byte[] file;
        try (InputStream in = folder.isBlank()
                ? RunsVectorsTest.class.getResourceAsStream("/vectors/" + name)
                : Files.newInputStream(Path.of(folder, name))) {
            file = in.readAllBytes();
        }
        ByteBuffer bytes = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        int header = Short.toUnsignedInt(bytes.getShort(8));
        assertThat(new String(file, 10, header, StandardCharsets.US_ASCII)).contains("'<f4'").contains("False");
        float[] values = new float[(file.length - 10 - header) / Float.BYTES];
        bytes.position(10 + header).slice().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
        return values;
    }
}
