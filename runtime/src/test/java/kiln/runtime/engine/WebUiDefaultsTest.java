package kiln.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.job.Settings;
import kiln.runtime.noise.NoiseKind;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WebUiDefaultsTest {
    @TempDir
    private Path folder;

    private final List<String> notices = new ArrayList<>();

    private GenerationRequest defaults(String config, String uiConfig) throws IOException {
        if (config != null) {
            Files.writeString(folder.resolve("config.json"), config);
        }
        Files.writeString(folder.resolve("ui-config.json"), uiConfig);
        return WebUiDefaults.of(
                WebUiConfig.read(folder.resolve("config.json"), notices::add),
                WebUiConfig.read(folder.resolve("ui-config.json"), notices::add),
                "txt2img",
                notices::add);
    }

    @Test
    void withoutSettingsEverythingIsAsAnywhere() throws IOException {
        assertThat(defaults(null, "{}")).isEqualTo(GenerationRequest.builder().build());
        assertThat(notices).isEmpty();
    }

    @Test
    void thePagesFieldsAreTaken() throws IOException {
        GenerationRequest request = defaults("{\"CLIP_stop_at_last_layers\": 2, \"randn_source\": \"NV\"}", """
                {
                    "txt2img/Prompt/value": "masterpiece, ",
                    "txt2img/Negative prompt/value": "lowres",
                    "txt2img/Sampling method/value": "DDIM",
                    "customscript/sampler.py/txt2img/Sampling method/value": "DPM++ 2M",
                    "customscript/sampler.py/txt2img/Schedule type/value": "Karras",
                    "customscript/sampler.py/txt2img/Sampling steps/value": 28,
                    "customscript/sampler.py/txt2img/Sampling steps/maximum": 150,
                    "customscript/sampler.py/img2img/Sampling steps/value": 40,
                    "txt2img/Width/value": 640.0,
                    "txt2img/Height/value": 960,
                    "txt2img/CFG Scale/value": 5.5,
                    "txt2img/Batch count/value": 2,
                    "txt2img/Batch size/value": 3,
                    "customscript/seed.py/txt2img/Seed/value": 77,
                    "customscript/seed.py/txt2img/Variation seed/value": 5,
                    "customscript/seed.py/txt2img/Variation strength/value": 0.25,
                    "customscript/seed.py/txt2img/Resize seed from width/value": 512,
                    "customscript/seed.py/txt2img/Resize seed from height/value": 768,
                    "customscript/xyz_grid.py/txt2img/Width/value": 8
                }
                """);
        assertThat(notices).isEmpty();
        assertThat(request).isEqualTo(GenerationRequest.builder()
                .prompt("masterpiece, ")
                .negativePrompt("lowres")
                .sampler("DPM++ 2M")
                .schedule("Karras")
                .steps(28)
                .width(640)
                .height(960)
                .cfgScale(5.5)
                .batchCount(2)
                .batchSize(3)
                .seed(77)
                .variation(new GenerationRequest.Variation(5, 0.25, 512, 768))
                .clipSkip(2)
                .noise(NoiseKind.NV)
                .build());
    }

    @Test
    void theOptionsThatDecideAPictureAreTaken() throws IOException {
        GenerationRequest request = defaults("""
                {"eta_noise_seed_delta": 31337, "eta_ancestral": 0.67, "s_tmax": 0.0, "emphasis": "No norm", "sd_vae": "x.safetensors",
                 "comma_padding_backtrack": 0, "uni_pc_order": 2.0, "always_discard_next_to_last_sigma": true, "samples_format": "jpg",
                 "randn_source": "CPU", "of an extension": {"a": 1}}
                """, "{}");
        assertThat(notices).isEmpty();
        assertThat(request.settings()).isEqualTo(Settings.of(Map.of(
                "eta_noise_seed_delta", 31337, "eta_ancestral", 0.67, "emphasis", "No norm", "sd_vae", "x.safetensors",
                "comma_padding_backtrack", 0, "uni_pc_order", 2, "always_discard_next_to_last_sigma", true,
                "samples_format", "jpg")));
    }

    @Test
    void theOldPagesNamesAreTakenToo() throws IOException {
        GenerationRequest request =
                defaults("{}", "{\"txt2img/Sampling Steps/value\": 50, \"txt2img/Sampling method/value\": \"DPM++ 2M Karras\"}");
        assertThat(notices).isEmpty();
        assertThat(request.steps()).isEqualTo(50);
        assertThat(request.sampler()).isEqualTo("DPM++ 2M Karras");
        assertThat(request.settings().noiseKind()).as("A1111's own default").isEqualTo(NoiseKind.GPU);
    }

    @Test
    void aValueThatIsNotPossibleLeavesOneLineAndTheDefault() throws IOException {
        GenerationRequest request = defaults("{\"CLIP_stop_at_last_layers\": 99, \"randn_source\": \"TPU\"}", """
                {
                    "txt2img/Sampling steps/value": "many",
                    "txt2img/Width/value": 513,
                    "txt2img/Height/value": 2.5,
                    "txt2img/CFG Scale/value": NaN,
                    "txt2img/Sampling method/value": "Euler of the future",
                    "txt2img/Batch size/value": [1],
                    "txt2img/Prompt/value": 7,
                    "txt2img/Batch count/value": null
                }
                """);
        assertThat(request).isEqualTo(GenerationRequest.builder().noise(NoiseKind.GPU).build());
        assertThat(notices).hasSize(9).allMatch(line -> line.contains("which is not taken: ") && !line.contains("\n"));
        assertThat(notices).anyMatch(line -> line.contains("ui-config.json: \"txt2img/Width/value\" is 513, which is not taken: width 513 is not"));
    }
}
