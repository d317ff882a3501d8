package kiln.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import kiln.runtime.job.GenerationRequest;
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
                .clipSkip(2)
                .noise(NoiseKind.NV)
                .build());
    }

    @Test
    void theOldPagesNamesAreTakenToo() throws IOException {
        GenerationRequest request =
                defaults("{}", "{\"txt2img/Sampling Steps/value\": 50, \"txt2img/Sampling method/value\": \"DPM++ 2M Karras\"}");
        assertThat(notices).isEmpty();
        assertThat(request.steps()).isEqualTo(50);
        assertThat(request.sampler()).isEqualTo("DPM++ 2M Karras");
        assertThat(request.noise()).as("A1111's own default").isEqualTo(NoiseKind.GPU);
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
