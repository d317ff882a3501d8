package kiln.tui.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.StreamSupport;
import kiln.runtime.image.Picture;
import kiln.runtime.image.PngReader;
import kiln.runtime.image.PngWriter;
import kiln.runtime.job.InfoText;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A copy of a web UI's folder, as its documentation and its releases lay it out, with the demo model in the place of a checkpoint. */
class WebUiFolderTest {
    private static final Path DEMO = Path.of("../runtime/demo/kiln-demo.safetensors").toAbsolutePath().normalize();
    /** What A1111 1.10 wrote into such a folder's pictures. */
    private static final String PARAMETERS = """
            masterpiece, 1girl, (red hair:1.2), <lora:detail:0.6>
            Negative prompt: lowres, bad hands
            Steps: 28, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 1234567, Size: 512x768, Model hash: 6ce0161689, \
            Model: v1-5-pruned-emaonly, Clip skip: 2, ENSD: 31337, Lora hashes: "detail: 0123456789ab", Version: v1.10.1""";

    @TempDir
    private Path folder;

    private Path webUi;

    @BeforeEach
    void webUi() throws IOException {
        webUi = folder.resolve("stable-diffusion-webui");
        for (String name : new String[] {
            "models/Stable-diffusion/anime", "models/VAE", "models/Lora", "models/hypernetworks", "models/ESRGAN", "models/GFPGAN", "embeddings",
            "outputs/txt2img-images/2024-05-01", "outputs/img2img-images", "outputs/extras-images", "outputs/txt2img-grids", "log/images", "extensions"
        }) {
            Files.createDirectories(webUi.resolve(name));
        }
        Files.createSymbolicLink(webUi.resolve("models/Stable-diffusion/anime/kiln.safetensors"), DEMO);
        Files.writeString(webUi.resolve("models/Stable-diffusion/Put Stable Diffusion checkpoints here.txt"), "");
        Files.writeString(webUi.resolve("styles.csv"), "name,prompt,negative_prompt\nink,\"{prompt}, ink drawing\",photo\n");
        Files.writeString(webUi.resolve("params.txt"), PARAMETERS);
        Picture pixel = new Picture(1, 1, new byte[3]);
        Files.write(
                webUi.resolve("outputs/txt2img-images/2024-05-01/00041-1234567.png"),
                PngWriter.encode(pixel, Map.of(InfoText.PNG_KEYWORD, PARAMETERS)));
        Files.writeString(webUi.resolve("config.json"), """
                {
                    "ldsr_steps": 100,
                    "outdir_samples": "",
                    "outdir_txt2img_samples": "pictures/of text",
                    "outdir_img2img_samples": "outputs/img2img-images",
                    "save_to_dirs": true,
                    "directories_filename_pattern": "[date]",
                    "sd_model_checkpoint": "anime/kiln.safetensors [0123456789]",
                    "sd_checkpoint_hash": "",
                    "CLIP_stop_at_last_layers": 2,
                    "randn_source": "NV",
                    "eta_ancestral": 0.67,
                    "eta_noise_seed_delta": 31337,
                    "face_restoration_model": "GFPGAN",
                    "quicksettings_list": ["sd_model_checkpoint", "sd_vae", "CLIP_stop_at_last_layers"],
                    "hide_samplers": "none",
                    "tac_maxResults": 5
                }
                """);
        Files.writeString(webUi.resolve("ui-config.json"), """
                {
                    "txt2img/Prompt/value": "",
                    "txt2img/Negative prompt/value": "lowres",
                    "txt2img/Width/value": 512,
                    "txt2img/Batch size/value": 2,
                    "txt2img/Batch size/maximum": 8,
                    "customscript/sampler.py/txt2img/Sampling method/value": "Euler a",
                    "customscript/sampler.py/txt2img/Schedule type/value": "Karras",
                    "txt2img/CFG Scale/value": 11
                }
                """);
    }

    @AfterEach
    void unlink() throws IOException {
        Files.delete(webUi.resolve("models/Stable-diffusion/anime/kiln.safetensors"));
    }

    private Run txt2img(String... more) {
        String[] arguments = new String[more.length + 9];
        System.arraycopy(new String[] {"txt2img", "--data-dir", webUi.toString(), "-p", "flat red heart", "-W64", "-H64", "--seed", "7"}, 0, arguments, 0, 9);
        System.arraycopy(more, 0, arguments, 9, more.length);
        return Run.in(folder).kiln(arguments);
    }

    private static Map<String, String> parameters(Path file) {
        return InfoText.parse(PngReader.readTexts(file).get(InfoText.PNG_KEYWORD)).parameters();
    }

    @Test
    void picturesLieWhereA1111WouldPutThemWithItsSettings() throws IOException {
        Run run = txt2img("--steps=3", "--sampler=Euler a");
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.err()).isEmpty();
        assertThat(run.out().lines()).hasSize(2);
        Path first = Path.of(run.out().lines().findFirst().orElseThrow());
        assertThat(first.getParent().getParent()).isEqualTo(webUi.resolve("pictures/of text"));
        assertThat(first.getParent().getFileName().toString()).matches("\\d{4}-\\d\\d-\\d\\d");
        assertThat(first).hasFileName("00000-7.png");

        String text = PngReader.readTexts(first).get(InfoText.PNG_KEYWORD);
        assertThat(InfoText.parse(text).negativePrompt()).isEqualTo("lowres");
        assertThat(parameters(first))
                .containsEntry("Model", "kiln")
                .containsEntry("Clip skip", "2")
                .containsEntry("RNG", "NV")
                .containsEntry("Schedule type", "Karras")
                .containsEntry("Eta", "0.67")
                .containsEntry("ENSD", "31337")
                // The demo model presets its own, which goes before the page's.
                .containsEntry("CFG scale", "4");
        assertThat(Files.readString(webUi.resolve("params.txt"))).isEqualTo(text);
    }

    @Test
    void whatIsGivenGoesBeforeTheFolder() throws IOException {
        Path out = folder.resolve("out");
        Run run = txt2img("--output-dir", out.toString(), "--clip-skip=1", "--noise=cpu", "--steps=1", "-n", "", "--batch-size=1", "--no-prompt-history");
        assertThat(run.exitCode()).as(run.err()).isZero();
        Path file = Path.of(run.out().strip());
        assertThat(file.getParent().getParent()).isEqualTo(out.resolve("txt2img-images"));
        assertThat(parameters(file)).doesNotContainKey("Clip skip").containsEntry("Steps", "1");
        assertThat(InfoText.parse(PngReader.readTexts(file).get(InfoText.PNG_KEYWORD)).negativePrompt()).isEmpty();
        assertThat(Files.readString(webUi.resolve("params.txt"))).isEqualTo(PARAMETERS);
    }

    @Test
    void aFolderOfAnotherMachineAndAModelThatIsGoneLeaveALineEach() throws IOException {
        Files.writeString(webUi.resolve("other.json"), """
                {"sd_model_checkpoint": "sdxl\\\\gone.safetensors [6ce0161689]", "outdir_samples": "D:\\\\sd\\\\out", "s_churn": "much"}
                """);
        Run run = txt2img("--ui-settings-file", webUi.resolve("other.json").toString(), "--steps=1", "--batch-size=1");
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.err().lines()).hasSize(3).allMatch(line -> line.startsWith("kiln: " + webUi.resolve("other.json")));
        assertThat(run.err()).contains("gone.safetensors [6ce0161689], which is not there", "a folder of another machine", "\"s_churn\"");
        assertThat(Path.of(run.out().strip()).getParent().getParent()).isEqualTo(webUi.resolve("outputs/txt2img-images"));
    }

    @Test
    void brokenSettingsLeaveALineAndThePictureIsMade() throws IOException {
        Files.writeString(webUi.resolve("config.json"), "{\"samples_save\": tru");
        Run run = txt2img("--steps=1", "--batch-size=1");
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.err().lines()).hasSize(1);
        assertThat(run.err()).startsWith("kiln: " + webUi.resolve("config.json") + " cannot be read, so defaults are used: ");
    }

    @Test
    void itsModelsAreListed() {
        Run run = Run.in(folder).kiln("models", "--data-dir", webUi.toString());
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.out()).contains("anime/kiln.safetensors");
        assertThat(Run.in(folder).kiln("doctor", "--data-dir", webUi.toString()).out()).contains("kiln.safetensors", webUi + "/config.json");
    }

    @Test
    void settingsTellsWhatActsAndWhyTheRestDoesNot() throws IOException {
        Run run = Run.in(folder).kiln("settings", "--data-dir", webUi.toString());
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.out())
                .startsWith(webUi.resolve("config.json") + "\n")
                .contains("  CLIP_stop_at_last_layers  2 (default 1), a quick setting\n")
                .contains("  eta_noise_seed_delta  31337 (default 0)\n")
                .contains("\nnot here: no face restoration yet\n  face_restoration_model  \"GFPGAN\" (default \"CodeFormer\")\n")
                .contains("  hide_samplers  \"none\" (default []), which is of another kind: the default counts\n")
                .contains(" 2 in the file are unknown");

        JsonNode json = new ObjectMapper().readTree(Run.in(folder).kiln("settings", "--json", "--data-dir", webUi.toString()).out());
        assertThat(json.get("exists").asBoolean()).isTrue();
        assertThat(json.get("quicksettings")).hasSize(3);
        assertThat(json.get("unknown").toString()).isEqualTo("[\"ldsr_steps\",\"tac_maxResults\"]");
        JsonNode clipSkip = StreamSupport.stream(json.get("settings").spliterator(), false)
                .filter(row -> row.get("name").asText().equals("CLIP_stop_at_last_layers"))
                .findFirst()
                .orElseThrow();
        assertThat(clipSkip.toString())
                .isEqualTo("{\"name\":\"CLIP_stop_at_last_layers\",\"value\":2,\"default\":1,\"acts\":true,\"reason\":null}");

        Run none = Run.in(folder).kiln("settings", "--all");
        assertThat(none.out()).contains("config.json is not there: these are A1111's defaults\n", "\nnot here: no training here\n");
    }
}
