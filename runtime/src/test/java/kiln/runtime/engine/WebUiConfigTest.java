package kiln.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WebUiConfigTest {
    @TempDir
    private Path folder;

    private final List<String> notices = new ArrayList<>();

    private WebUiConfig read(String json) throws IOException {
        return WebUiConfig.read(Files.writeString(folder.resolve("config.json"), json), notices::add);
    }

    @Test
    void aFlatMapIsRead() throws IOException {
        WebUiConfig config = read("""
                {
                    "samples_save": true,
                    "CLIP_stop_at_last_layers": 2.0,
                    "eta_noise_seed_delta": 31337,
                    "sd_vae": null,
                    "s_tmax": Infinity,
                    "quicksettings_list": ["sd_model_checkpoint", "sd_vae", 3, ["x"], {"y": 1}],
                    "of an extension": {"a": {"b": [1, 2]}},
                    "long": 123456789012345678901234567890,
                    "sd_model_checkpoint": "käse.safetensors [0123456789]"
                }
                """);
        assertThat(notices).isEmpty();
        assertThat(config.exists()).isTrue();
        assertThat(config.values())
                .containsEntry("samples_save", true)
                .containsEntry("CLIP_stop_at_last_layers", 2.0)
                .containsEntry("eta_noise_seed_delta", 31337L)
                .containsEntry("sd_vae", null)
                .containsEntry("s_tmax", Double.POSITIVE_INFINITY)
                .containsEntry("long", 123456789012345678901234567890d)
                .hasSize(9);
        assertThat(config.texts("quicksettings_list")).containsExactly("sd_model_checkpoint", "sd_vae");
        assertThat(config.text("sd_model_checkpoint", "")).isEqualTo("käse.safetensors [0123456789]");
        assertThat(config.text("samples_save", "usual")).isEqualTo("usual");
        assertThat(read("{\"quicksettings\": \"sd_vae , CLIP_stop_at_last_layers\"}").texts("quicksettings"))
                .containsExactly("sd_vae", "CLIP_stop_at_last_layers");
    }

    @Test
    void aFileThatIsNotThereSaysNothing() {
        WebUiConfig config = WebUiConfig.read(folder.resolve("none.json"), notices::add);
        assertThat(config.exists()).isFalse();
        assertThat(config.values()).isEmpty();
        assertThat(notices).isEmpty();
    }

    @Test
    void brokenJsonLeavesOneLineAndNoValues() throws IOException {
        List<String> broken = List.of(
                "", "[]", "null", "{", "{\"a\":", "{\"a\": 1,}", "{\"a\" 1}", "{\"a\": tru}", "{\"a\": [1, 2", "\"\u0000\"", "{\"a\": \"" + "x".repeat(2 << 20),
                "{\"a\":" + "[".repeat(100_000), "{\"a\":" + "{\"a\":".repeat(100_000), "{\"a\":" + "9".repeat(1000) + "}");
        for (String json : broken) {
            notices.clear();
            assertThat(read(json).values()).as(json.substring(0, Math.min(20, json.length()))).isEmpty();
            assertThat(notices).hasSize(1);
            assertThat(notices.get(0)).contains("config.json cannot be read, so defaults are used: ").doesNotContain("\n");
            assertThat(notices.get(0).length()).isLessThan(600);
        }
        notices.clear();
        assertThat(WebUiConfig.read(folder, notices::add).values()).isEmpty();
        assertThat(notices).hasSize(1);
    }

    @Test
    void anyBytesAreEitherReadOrRefusedInOneLine() throws IOException {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        byte[] good = "{\"a\": [1, 2.5, \"x\", null], \"b\": {\"c\": true}, \"d\": \"\\u00e4\"}".getBytes(StandardCharsets.UTF_8);
        Path file = folder.resolve("config.json");
        for (int i = 0; i < 3000; i++) {
            byte[] bytes = Arrays.copyOf(good, random.nextInt(good.length) + 1);
            for (int j = random.nextInt(4); j > 0; j--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
            }
            notices.clear();
            WebUiConfig config = WebUiConfig.read(Files.write(file, bytes), notices::add);
            assertThat(notices).as("seed %d", seed).hasSize(config.exists() ? 0 : 1);
        }
    }
}
