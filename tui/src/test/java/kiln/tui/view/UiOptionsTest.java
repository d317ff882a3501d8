package kiln.tui.view;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import kiln.runtime.base.Precision;
import kiln.runtime.engine.Engine;
import kiln.runtime.engine.EngineOptions;
import kiln.runtime.engine.LastParameters;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.job.Setting;
import kiln.tui.view.Message.Result;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UiOptionsTest {
    private static final Path DEMO = Path.of("../runtime/demo/kiln-demo.safetensors").toAbsolutePath().normalize();

    @TempDir
    private Path folder;

    @Test
    void aFoldersPresetsFillTheScreenWhereTheModelHasNone() {
        GenerationRequest presets =
                GenerationRequest.builder().prompt("masterpiece").negativePrompt("lowres").cfgScale(11).clipSkip(2).batchSize(3).build();
        ModelFacts facts;
        try (Engine engine = new Engine(
                new EngineOptions(List.of(), List.of(), DEMO, null, folder.resolve("cache"), "reference", Precision.F32, 0))) {
            facts = UiOptions.of(engine, Map.of(), null).withDefaults(presets, new LastParameters(null)).facts().apply(DEMO);
        }
        UiState state = new UiState();
        Update update = new Update(state, new NoEffects());
        UiModel demo = new UiModel(DEMO, "kiln-demo", true);
        update.accept(new Result.Models(List.of(demo)));
        update.accept(new Result.Facts(demo, facts, null));
        assertThat(state.negative.text()).isEqualTo("lowres");
        assertThat(state.form.values().batchSize()).isEqualTo(3);
        assertThat(state.form.values().settings().whole(Setting.CLIP_SKIP)).isEqualTo(2);
        assertThat(state.form.values().cfgScale()).as("the demo model's own").isEqualTo(4);
        assertThat(facts.defaults().prompt()).as("the demo model's own").startsWith("3d rocket");
    }
}
