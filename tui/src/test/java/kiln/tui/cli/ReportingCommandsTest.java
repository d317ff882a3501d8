package kiln.tui.cli;

import static kiln.tui.cli.CliTest.assertFailure;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import kiln.runtime.graph.Op;
import kiln.runtime.image.Picture;
import kiln.runtime.image.PngWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReportingCommandsTest {
    @TempDir
    private Path folder;

    private static JsonNode json(Run run) throws IOException {
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.err()).isEmpty();
        assertThat(run.out()).endsWith("\n");
        return new ObjectMapper().readTree(run.out());
    }

    private Path weights() throws IOException {
        byte[] header = ("{\"__metadata__\":{\"by\":\"\\u001b[2Jme\"},\"b\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[4,8]},"
                        + "\"a\":{\"dtype\":\"I32\",\"shape\":[],\"data_offsets\":[0,4]}}")
                .getBytes(StandardCharsets.UTF_8);
        ByteBuffer file = ByteBuffer.allocate(8 + header.length + 8).order(ByteOrder.LITTLE_ENDIAN);
        file.putLong(header.length).put(header).put("abcdefgh".getBytes(StandardCharsets.UTF_8));
        return Files.write(folder.resolve("small.safetensors"), file.array());
    }

    @Test
    void inspectTellsAWeightsFilesTensorsAndMetadata() throws IOException {
        JsonNode file = json(Run.in(folder).kiln("inspect", "--json", "--hash", weights().toString()));
        assertThat(file.get("format").asText()).isEqualTo("safetensors");
        assertThat(file.get("metadata").toString()).isEqualTo("{\"by\":\"\\u001B[2Jme\"}");
        JsonNode b = file.get("tensors").get(0).get("name").asText().equals("b") ? file.get("tensors").get(0) : file.get("tensors").get(1);
        // SHA-256 of "efgh".
        assertThat(b.toString()).isEqualTo("{\"name\":\"b\",\"dtype\":\"F16\",\"shape\":[2],"
                + "\"sha256\":\"e5e088a0b66163a0a26a5e053d2a4496dc16ab6e0e3dd1adf2d16aa84a078c9d\"}");
        assertThat(file.get("tensors")).hasSize(2);
    }

    @Test
    void inspectNamesCodeThatAPickleAsksForAndRunsNothing() throws IOException {
        Path file = folder.resolve("evil.pt");
        Path trace = folder.resolve("trace");
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(file))) {
            zip.putNextEntry(new ZipEntry("x/data.pkl"));
            zip.write(("\u0080\2cos\nsystem\n(U" + (char) ("touch " + trace).length() + "touch " + trace + "tR.").getBytes(StandardCharsets.ISO_8859_1));
        }
        Run run = Run.in(folder).kiln("inspect", file.toString());
        assertThat(run.out()).contains("0 tensors").contains("not read: all of it (os.system)")
                .contains("names Python code, of which nothing was run: os.system");
        JsonNode json = json(Run.in(folder).kiln("inspect", "--json", file.toString()));
        assertThat(json.get("code").toString()).isEqualTo("[\"os.system\"]");
        assertThat(json.get("unread").toString()).isEqualTo("[\"all of it (os.system)\"]");
        assertThat(trace).doesNotExist();
        assertThat(Run.in(folder).kiln("inspect", weights().toString()).out()).doesNotContain("not read").doesNotContain("Python");
    }

    @Test
    void whatAFileSaysCannotMoveTheCursor() throws IOException {
        Run run = Run.in(folder).kiln("inspect", weights().toString());
        assertThat(run.out()).contains("by:  [2Jme").contains("F16  [2]").doesNotContain("\u001b");
    }

    @Test
    void inspectTellsAPicturesParameters() throws IOException {
        Path file = folder.resolve("x.png");
        String text = "a cat, \"dog\"\nNegative prompt: bird\nSteps: 3, Sampler: Euler, CFG scale: 7, Seed: 1, Size: 8x8";
        Files.write(file, PngWriter.encode(new Picture(1, 1, new byte[3]), Map.of("parameters", text)));
        assertThat(Run.in(folder).kiln("inspect", file.toString()).out()).isEqualTo(
                "png, 1x1, parameters by a program that writes as AUTOMATIC1111's web UI does\n" + text + "\n");
        JsonNode json = json(Run.in(folder).kiln("inspect", file.toString(), "--json"));
        assertThat(json.get("format").asText()).isEqualTo("png");
        assertThat(json.get("metadata").get("parameters").asText()).isEqualTo(text);
        assertThat(json.get("tensors")).isEmpty();
        assertThat(json.get("parameters").get("prompt").asText()).isEqualTo("a cat, \"dog\"");
        assertThat(json.get("parameters").get("Seed").asText()).isEqualTo("1");
    }

    @Test
    void inspectTellsWhatOtherProgramsWriteAndWhatIsNotUnderstood() throws IOException {
        String comment = "{\"steps\": 28, \"sampler\": \"k_euler\", \"seed\": 9, \"scale\": 11, \"uc\": \"bad\", \"sm\": true}";
        Path file = folder.resolve("novel.png");
        Files.write(file, PngWriter.encode(
                new Picture(2, 1, new byte[6]), Map.of("Software", "NovelAI", "Description", "a cat", "Comment", comment)));
        assertThat(Run.in(folder).kiln("inspect", file.toString()).out()).isEqualTo("""
                png, 2x1, parameters by NovelAI
                a cat
                Negative prompt: bad
                Steps: 28, Sampler: Euler, CFG scale: 11, Seed: 9, Size: 2x1, Clip skip: 2, ENSD: 31337
                not understood: sm: true
                """);
        JsonNode json = json(Run.in(folder).kiln("inspect", file.toString(), "--json"));
        assertThat(json.get("program").asText()).isEqualTo("NovelAI");
        assertThat(json.get("notUnderstood").toString()).isEqualTo("[\"sm: true\"]");
        assertThat(json.get("width").asInt()).isEqualTo(2);
    }

    @Test
    void inspectRefusesWhatItCannotRead() throws IOException {
        Path cut = Files.write(folder.resolve("cut.png"), new byte[] {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0});
        assertFailure(Run.in(folder).kiln("inspect", folder.resolve("none").toString()), 3, "none");
        assertFailure(Run.in(folder).kiln("inspect", cut.toString()), 4, "cut.png");
        assertFailure(Run.in(folder).kiln("inspect", folder.toString()), 2, "is a folder");
        assertFailure(Run.in(folder).kiln("inspect"), 2, "FILE");
    }

    @Test
    void tokensTellsChunksOf77IdsAndWeights() throws IOException {
        JsonNode json = json(Run.in(folder).kiln("tokens", "--json", "a (cat:1.5)"));
        assertThat(json.get("count").asInt()).isEqualTo(2);
        JsonNode chunk = json.get("chunks").get(0);
        assertThat(chunk.get("ids")).hasSize(77);
        assertThat(chunk.get("ids").toString()).startsWith("[49406,320,2368,49407,");
        assertThat(chunk.get("weights")).hasSize(77);
        assertThat(chunk.get("weights").get(2).asDouble()).isEqualTo(1.5);
        assertThat(json(Run.in(folder).in("a cat").kiln("tokens", "--json")).get("count").asInt()).isEqualTo(2);
        assertThat(Run.in(folder).kiln("tokens", "--", "-n cat").out()).contains("3 tokens of 75").contains("2368");
    }

    @Test
    void tokensTellsWhatEachCallSees() throws IOException {
        String text = "[cat:dog:0.5], <lora:a:0.7:te=1> # no\nAND [a|b] :0.5";
        JsonNode json = json(Run.in(folder).kiln("tokens", "--steps", "10", "--json", text));
        assertThat(json.get("count").asInt()).as("of the text as it stands").isGreaterThan(20);
        assertThat(json.get("counter").asText()).isEqualTo("2/75");
        assertThat(json.get("networks").toString())
                .isEqualTo("[{\"name\":\"lora\",\"items\":[\"a\",\"0.7\",\"te=1\"],\"positional\":[\"a\",\"0.7\"],\"named\":{\"te\":\"1\"}}]");
        JsonNode prompts = json.get("prompts");
        assertThat(prompts).hasSize(2);
        assertThat(prompts.get(0).get("weight").asDouble()).isEqualTo(1);
        assertThat(prompts.get(0).get("schedule").findValuesAsText("until")).containsExactly("5", "10");
        assertThat(prompts.get(0).get("schedule").findValuesAsText("text")).containsExactly("cat,", "dog,");
        assertThat(prompts.get(0).get("schedule").get(1).get("chunks").get(0).get("ids").toString()).startsWith("[49406,1929,267,49407,");
        assertThat(prompts.get(1).get("weight").asDouble()).isEqualTo(0.5);
        assertThat(prompts.get(1).get("schedule")).hasSize(10);
        assertThat(Run.in(folder).kiln("tokens", "--steps", "10", text).out())
                .contains("counter 2/75", "network <lora:a:0.7:te=1>", "prompt 2 of 2, weight 0.5", "until call 5: cat,", "1929");
        JsonNode negative = json(Run.in(folder).kiln("tokens", "--steps", "10", "--negative", "--json", "<a:b> AND c"));
        assertThat(negative.get("networks")).isEmpty();
        assertThat(negative.get("prompts").get(0).get("schedule").get(0).get("text").asText()).isEqualTo("<a:b> AND c");
        assertFailure(Run.in(folder).kiln("tokens", "--steps", "0", "cat"), 2, "--steps 0");
        assertFailure(Run.in(folder).kiln("tokens", "--negative", "cat"), 2, "--steps");
    }

    @Test
    void linesOfTextGiveLinesOfJsonSideBySide() throws IOException {
        Run run = Run.in(folder).in("a\n\nb\u2028c\r\n(cat:1.2.3)\nlast").kiln("tokens", "--lines");
        assertThat(run.exitCode()).isZero();
        String[] lines = run.out().split("\n");
        assertThat(lines).hasSize(5);
        int[] counts = {1, 0, 2, 7, 1};
        for (int i = 0; i < lines.length; i++) {
            JsonNode json = new ObjectMapper().readTree(lines[i]);
            assertThat(json.path("count").asInt(-1)).as(lines[i]).isEqualTo(counts[i]);
        }
    }

    @Test
    void modelsTellsKindSizeAndHashes() throws IOException {
        weights();
        Files.writeString(folder.resolve("broken.ckpt"), "nothing");
        JsonNode models = json(Run.in(folder).demo().kiln("models", "--json", "--hash", "--ckpt-dir", folder.toString())).get("models");
        assertThat(models.findValuesAsText("name")).containsExactlyInAnyOrder("broken.ckpt", "small.safetensors", "kiln-demo.safetensors");
        for (JsonNode model : models) {
            assertThat(model.get("bytes").asLong()).isPositive();
            boolean demo = model.get("name").asText().startsWith("kiln");
            assertThat(model.get("demo").asBoolean()).isEqualTo(demo);
            assertThat(model.get("usable").asBoolean()).isEqualTo(demo);
            assertThat(model.get("error").isNull()).isEqualTo(!model.get("name").asText().equals("broken.ckpt"));
            if (demo) {
                assertThat(model.get("kind").asText()).isEqualTo("SD 1.x");
                assertThat(model.get("sha256").asText()).hasSize(64).startsWith(model.get("hash").asText());
                assertThat(model.get("legacyHash").asText()).hasSize(8);
            }
        }
    }

    @Test
    void modelsTellsVaesAndDiffusersFolders() throws IOException {
        Files.move(weights(), folder.resolve("a.vae.safetensors"));
        Files.copy(folder.resolve("a.vae.safetensors"), Files.createDirectories(folder.resolve("own")).resolve("b.pt"));
        Files.writeString(Files.createDirectories(folder.resolve("sd-v1.5")).resolve("model_index.json"), "{}");
        JsonNode json = json(Run.in(folder).kiln("models", "--json", "--ckpt-dir", folder.toString(), "--vae-dir", folder.resolve("own").toString()));
        assertThat(json.get("vaes").findValuesAsText("name")).containsExactly("a.vae.safetensors", "b.pt");
        assertThat(json.get("vaes").get(0).get("legacyHash").asText()).hasSize(8);
        assertThat(json.get("models").findValuesAsText("name")).containsExactly("sd-v1.5");
        assertThat(json.get("models").get(0).get("error").asText()).contains("unet").contains("no weights");
        assertThat(Run.in(folder).kiln("models", "--ckpt-dir", folder.toString()).out()).contains("a.vae.safetensors  ");
    }

    @Test
    void aVaeOrConfigurationThatIsNamedMustBeThere() {
        assertFailure(Run.in(folder).kiln("models", "--vae-path", "none.pt"), 3, "no VAE at");
        assertFailure(Run.in(folder).kiln("models", "--config", "none.yaml"), 3, "no model configuration at");
        assertFailure(Run.in(folder).kiln("models", "--ckpt", folder.toString()), 2, "no model_index.json");
    }

    @Test
    void withoutModelsTheNextStepIsTold() {
        Run run = Run.in(folder).kiln("models");
        assertThat(run.out()).contains("no models found").contains(folder.resolve(".local/share/kiln/models/Stable-diffusion").toString());
    }

    @Test
    void doctorTellsTheMachineAndThePlaces() throws IOException {
        JsonNode json = json(Run.in(folder).demo().kiln("doctor", "--json"));
        assertThat(json.get("cpu").get("threads").asInt()).isPositive();
        assertThat(json.get("executor").asText()).isNotBlank();
        assertThat(json.get("gpu").get("devices").isEmpty()).isNotEqualTo(json.get("gpu").get("reason").isNull());
        assertThat(json.get("places").get("cache").asText()).isEqualTo(Run.CACHE.resolve("kiln").toString());
        assertThat(json.get("models").get("found").asInt()).isEqualTo(1);
        Run text = Run.in(folder).kiln("doctor");
        assertThat(text.exitCode()).isZero();
        assertThat(text.out()).contains("CPU ").contains("computing ").contains("none found: put a .safetensors");
    }

    @Test
    void aModelOfTheUsersGoesBeforeTheDemo() throws IOException {
        Path own = Files.copy(weights(), folder.resolve("zzz.safetensors"));
        Files.delete(folder.resolve("small.safetensors"));
        JsonNode json = json(Run.in(folder).demo().kiln("doctor", "--json", "--ckpt-dir", folder.toString()));
        assertThat(json.get("models").get("default").asText()).isEqualTo(own.toString());
    }

    @Test
    void benchTellsSecondsOfEachPart() throws IOException {
        JsonNode json = json(Run.in(folder).demo().kiln("bench", "--json", "--runs", "2", "--width", "64", "--height", "64"));
        for (String part : new String[] {"unetStep", "vaeDecode", "textEncode"}) {
            assertThat(json.get(part).get("min").asDouble()).isPositive().isLessThanOrEqualTo(json.get(part).get("median").asDouble());
        }
        assertThat(json.get("dtype").asText()).isNotBlank();
        assertThat(json.get("peakResidentBytes").asLong()).isPositive();
        assertThat(json.get("deviceUse").get("name").asText()).isNotBlank();
        assertThat(json.get("notices")).isEmpty();
        assertFailure(Run.in(folder).demo().kiln("bench", "--runs", "0"), 2, "--runs 0");
        assertFailure(Run.in(folder).demo().kiln("bench", "--width", "7"), 2, "width 7");
    }

    @Test
    void selftestComparesEveryOp() throws IOException {
        Run run = Run.in(folder).kiln("selftest", "--json");
        JsonNode ops = json(run).get("ops");
        Set<String> expected = Arrays.stream(Op.class.getPermittedSubclasses()).map(Class::getSimpleName).collect(Collectors.toSet());
        expected.remove("Input");
        assertThat(ops.findValuesAsText("op")).containsAll(expected);
        for (JsonNode op : ops) {
            assertThat(op.get("ok").asBoolean()).as(op.toString()).isTrue();
            assertThat(op.get("error").asDouble()).isLessThanOrEqualTo(op.get("allowed").asDouble());
            assertThat(op.get("case").asText()).isNotBlank();
        }
        assertThat(Run.in(folder).kiln("selftest").out()).contains("all " + ops.size() + " cases agree with plain Java on ");
    }

    @Test
    void selftestTakesWordsOfWhatIsMeant() throws IOException {
        JsonNode json = json(Run.in(folder).kiln("selftest", "--json", "--only", "op: LayerNorm"));
        assertThat(json.get("ops").findValuesAsText("op")).containsOnly("LayerNorm");
        assertThat(json.get("kernels")).isEmpty();
        assertFailure(Run.in(folder).kiln("selftest", "--only", "nonsense"), 2, "nonsense");
        assertFailure(Run.in(folder).kiln("selftest", "--only", "op: LayerNorm", "--vectors", folder.toString()), 2, "needs a graphics card");
    }

    @Test
    void selftestDrawsPicturesWhenAsked() throws IOException {
        JsonNode json = json(Run.in(folder).demo().kiln("selftest", "--json", "--pictures", "--only", "picture heart"));
        JsonNode picture = json.get("pictures").get(0);
        assertThat(picture.get("case").asText()).isEqualTo("heart");
        assertThat(picture.get("error").asDouble()).isLessThanOrEqualTo(picture.get("allowed").asDouble());
        assertFailure(Run.in(folder).kiln("selftest", "--pictures"), 3, "demo model");
    }

    @Test
    void benchRefusesWhatDoesNotGoTogetherOrNeedsACard() {
        assertFailure(Run.in(folder).demo().kiln("bench", "--only", "gemm"), 2, "--kernels");
        assertFailure(Run.in(folder).demo().kiln("bench", "--kernels", "--compare-budget", "1G"), 2, "give one");
        assertFailure(Run.in(folder).demo().kiln("bench", "--compare-budget", "much"), 2, "--compare-budget");
        assertFailure(Run.in(folder).demo().kiln("bench", "--executor", "onednn", "--compare-budget", "1G"), 8, "graphics card");
    }

    @Test
    void planCountsBytesAndWorkFromShapesAlone() throws IOException {
        JsonNode json = json(Run.in(folder).demo().kiln("plan", "--json"));
        long weights = json.get("weightsBytes").asLong();
        long results = json.get("activationBytes").asLong();
        assertThat(json.get("peakBytes").asLong()).isEqualTo(weights + results);
        long sum = 0;
        for (JsonNode network : json.get("networks")) {
            for (JsonNode node : network.get("nodes")) {
                sum += node.get("weightsBytes").asLong();
            }
        }
        assertThat(sum).isEqualTo(weights);
        Run larger = Run.in(folder).demo().kiln("plan", "--json", "--width", "256", "--height", "256");
        assertThat(json(larger).get("weightsBytes").asLong()).isEqualTo(weights);
        assertThat(json(larger).get("activationBytes").asLong()).isGreaterThan(3 * results);
        assertThat(Run.in(folder).demo().kiln("plan", "--nodes").out()).contains("input_blocks.1.0.in_layers.2");
    }

    @Test
    void kernelsWritesTextsAndCasesThatOtherProgramsCanReplay() throws IOException {
        Path texts = folder.resolve("ptx");
        assertThat(Run.in(folder).kiln("kernels", "--dump", texts.toString()).exitCode()).isZero();
        try (Stream<Path> files = Files.list(texts)) {
            assertThat(files).isNotEmpty().allMatch(file -> file.toString().endsWith(".ptx"));
        }
        Path cases = folder.resolve("cases");
        assertThat(Run.in(folder).kiln("kernels", "--cases", cases.toString()).exitCode()).isZero();
        try (Stream<Path> folders = Files.list(cases)) {
            assertThat(folders).isNotEmpty().allMatch(each -> Files.exists(each.resolve("case.json")));
        }
        assertFailure(Run.in(folder).kiln("kernels"), 2, "--dump");
    }
}
