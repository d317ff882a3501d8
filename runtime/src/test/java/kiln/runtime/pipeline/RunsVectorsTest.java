package kiln.runtime.pipeline;

import static java.util.Comparator.comparingInt;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Stream;
import kiln.kernels.CudaContext;
import kiln.kernels.DataType;
import kiln.kernels.emulator.EmulatedCard;
import kiln.kernels.emulator.EmulatedDriver;
import kiln.runtime.Vectors;
import kiln.runtime.base.Precision;
import kiln.runtime.exec.Executor;
import kiln.runtime.exec.WeightSource;
import kiln.runtime.exec.cuda.CudaDevice;
import kiln.runtime.exec.cuda.CudaSettings;
import kiln.runtime.exec.cuda.library.DeviceLibraries;
import kiln.runtime.exec.cuda.residence.MemoryBudget;
import kiln.runtime.exec.onednn.OneDnn;
import kiln.runtime.exec.onednn.OneDnnExecutor;
import kiln.runtime.exec.reference.ReferenceExecutor;
import kiln.runtime.family.ModelFiles;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.job.GenerationRequest.Variation;
import kiln.runtime.job.HiresPass;
import kiln.runtime.job.InitPicture;
import kiln.runtime.job.InitPicture.ResizeMode;
import kiln.runtime.job.KeptPictures;
import kiln.runtime.job.Setting;
import kiln.runtime.plan.Residency;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Whole runs of the demo model as A1111's own text side, guidance, samplers and noise make them. */
class RunsVectorsTest {
    private static final double TOLERANCE = 1e-3;

    private static ModelSession session;

    @BeforeAll
    static void open() {
        ModelFiles files = ModelFiles.open(Path.of("demo", "kiln-demo.safetensors"));
        session = new ModelSession(files, RunsVectorsTest::executor);
    }

    private static Executor executor(WeightSource files) {
        return OneDnn.unavailableBecause() == null ? new OneDnnExecutor(files, Precision.F32) : new ReferenceExecutor(files);
    }

    @AfterAll
    static void close() {
        session.close();
    }

    static Stream<Arguments> runs() {
        return Vectors.cases("runs.json").stream()
                .map(run -> Arguments.of(run.get("case").asInt(), run.get("prompt").asText(), run));
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("runs")
    void theLatentIsTheOriginals(int number, String prompt, JsonNode run) throws IOException {
        check(session, number, run);
    }

    /** Plain Java is slow: the shortest run stands for the others, whose networks it was compared with op by op. */
    @Test
    void plainJavaAgrees() throws IOException {
        JsonNode shortest = Vectors.cases("runs.json").stream().min(comparingInt(run -> run.get("evaluations").asInt())).orElseThrow();
        ModelFiles files = ModelFiles.open(Path.of("demo", "kiln-demo.safetensors"));
        try (ModelSession reference = new ModelSession(files, ReferenceExecutor::new)) {
            check(reference, shortest.get("case").asInt(), shortest);
        }
    }

    /** In 32 bits, so that the tolerance is the same; one that begins from noise and one from a latent. */
    @Test
    void anEmulatedCardAgrees() throws IOException {
        CudaSettings settings =
                new CudaSettings(DataType.F32, Set.of(), false, new MemoryBudget(0, 0, 0), Residency.RESIDENT, 1L << 30);
        CudaContext card = new EmulatedDriver(EmulatedCard.ofBytes(64 << 20)).open(0);
        try (CudaDevice device = new CudaDevice(card, DeviceLibraries.none(), context -> settings)) {
            for (boolean fromLatent : new boolean[] {false, true}) {
                JsonNode shortest = Vectors.cases("runs.json").stream()
                        .filter(run -> !run.has("hr_steps") && run.has("denoising_strength") == fromLatent)
                        .min(comparingInt(run -> run.get("evaluations").asInt()))
                        .orElseThrow();
                ModelFiles files = ModelFiles.open(Path.of("demo", "kiln-demo.safetensors"));
                try (ModelSession session = new ModelSession(files, weights -> device.executor(weights, notice -> {}))) {
                    check(session, shortest.get("case").asInt(), shortest);
                }
            }
        }
    }

    private static void check(ModelSession session, int number, JsonNode run) throws IOException {
        float[] expected = expected(run.get("latent").asText());
        int pictures = run.path("seeds").isMissingNode() ? 1 : run.get("seeds").size();
        float[] found = new float[expected.length];
        int size = expected.length / pictures;
        for (int i = 0; i < pictures; i++) {
            // A request whose variation seeds differ has one seed; a list of both, which the originals' code takes, is as many requests.
            System.arraycopy(latent(session, request(run, i), run), 0, found, i * size, size);
        }
        double allowed = run.get("max").asDouble() * Math.max(TOLERANCE, 1e-4 * run.get("sensitivity").asDouble());
        double furthest = 0;
        for (int i = 0; i < expected.length; i++) {
            furthest = Math.max(furthest, Math.abs(found[i] - expected[i]));
        }
        assertThat(furthest).as("run %d: the value that is furthest off", number).isLessThanOrEqualTo(allowed);
    }

    private static GenerationRequest request(JsonNode run, int picture) {
        GenerationRequest.Builder request = GenerationRequest.builder()
                .prompt(run.get("prompt").asText())
                .negativePrompt(run.path("negative").asText(""))
                .sampler(run.get("sampler").asText())
                .schedule(run.path("schedule").asText("Automatic"))
                .steps(run.get("steps").asInt())
                .seed(run.has("seeds") ? run.get("seeds").get(picture).asLong() : run.get("seed").asLong())
                .cfgScale(run.path("cfg_scale").asDouble(4))
                .set(Setting.CLIP_SKIP, run.path("clip_skip").asInt(1))
                .set(Setting.NOISE_SOURCE, run.path("rng").asText("CPU"))
                .set(Setting.ETA_NOISE_SEED_DELTA, run.path("ensd").asLong(0))
                .set(Setting.EMPHASIS, run.path("emphasis").asText("Original"))
                .width(run.path("width").asInt(128))
                .height(run.path("height").asInt(128));
        run.path("settings").properties().forEach(entry -> request.set(Setting.named(entry.getKey()), entry.getValue().asText()));
        if (run.has("eta")) {
            request.eta(run.get("eta").asDouble());
        }
        if (run.has("subseeds")) {
            request.variation(new Variation(
                    run.get("subseeds").get(picture).asLong(),
                    run.get("subseed_strength").asDouble(),
                    run.path("seed_resize_from_w").asInt(0),
                    run.path("seed_resize_from_h").asInt(0)));
        }
        if (run.has("hr_steps")) {
            request.hires(new HiresPass(
                    upscaler(run.get("hr_mode")),
                    2,
                    run.get("hr_width").asInt(),
                    run.get("hr_height").asInt(),
                    run.get("hr_steps").asInt(),
                    run.get("denoising_strength").asDouble(),
                    run.path("hr_sampler").asText(""),
                    run.path("hr_schedule").asText(""),
                    run.path("hr_prompt").asText(""),
                    run.path("hr_negative").asText(""),
                    run.path("hr_cfg").asDouble(0)));
        } else if (run.has("denoising_strength")) {
            request.init(new InitPicture(Path.of("by-formula"), run.get("denoising_strength").asDouble(), ResizeMode.JUST_RESIZE));
        }
        return request.build();
    }

    private static String upscaler(JsonNode mode) {
        String antialiased = mode.get(1).asBoolean() ? "antialiased" : "";
        String name = mode.get(0).asText();
        String words = (name.equals("bilinear") ? antialiased : name + " " + antialiased).strip();
        return words.isEmpty() ? "Latent" : "Latent (" + words + ")";
    }

    private static float[] latent(ModelSession session, GenerationRequest request, JsonNode run) {
        KeptPictures kept = new KeptPictures();
        LatentStart start = request.init() == null ? null : formula(request.height() / 8, request.width() / 8, run.path("mask").asBoolean());
        new Drawing(session, request, start, PictureUpscaler.NONE, kept, () -> false, event -> {}).run();
        return kept.latents().get(kept.latents().size() - 1);
    }

    /** The picture's latent, and the mask over its left half, as the vectors' README gives them. */
    private static LatentStart formula(int height, int width, boolean masked) {
        float[] latent = new float[4 * height * width];
        float[] kept = new float[latent.length];
        for (int i = 0; i < latent.length; i++) {
            int x = i % width;
            latent[i] = (float) (0.9 * Math.sin(0.8 * (i / width / height) + 0.31 * (i / width % height) + 0.47 * x));
            kept[i] = x < width / 2 ? 1 : 0;
        }
        return new LatentStart(latent, masked ? kept : null);
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
