package kiln.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import kiln.runtime.base.DeviceOptions;
import kiln.runtime.base.Precision;
import kiln.runtime.exec.NetworkGolden;
import kiln.runtime.image.Picture;
import kiln.runtime.job.GenerationEvent;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.job.HiresPass;
import kiln.runtime.job.SaveOptions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The hires fix with upscalers of pictures, on the bundled model. */
class HiresUpscalerTest {
    @TempDir
    private static Path cache;

    private Engine engine;
    private final List<GenerationEvent> events = new ArrayList<>();

    private GenerationEvent draw(String upscaler, double strength) {
        Path model = Path.of("demo/kiln-demo.safetensors");
        Path upscalers = NetworkGolden.resource("/upscalers/x4.pth").getParent();
        ModelOptions models = new ModelOptions(null, List.of(), true, null, true, List.of(upscalers));
        engine = new Engine(new EngineOptions(
                List.of(model), List.of(), null, null, cache, "onednn", Precision.F32, 0, DeviceOptions.DEFAULT, models,
                AddOnFolders.NONE, SaveOptions.USUAL));
        GenerationRequest request = Models.presetsOf(model).builder()
                .model(model)
                .prompt("red heart")
                .width(64)
                .height(64)
                .seed(1)
                .steps(2)
                .hires(new HiresPass(upscaler, 2, 0, 0, 2, strength, "", "", "", "", 0))
                .build();
        return engine.submit(request, events::add).await();
    }

    private Picture picture() {
        return events.stream()
                .filter(GenerationEvent.PictureDone.class::isInstance)
                .map(event -> ((GenerationEvent.PictureDone) event).picture().image())
                .findFirst()
                .orElseThrow();
    }

    @AfterEach
    void close() {
        engine.close();
    }

    @Test
    void anUpscalerFromAFileLeadsToTheSecondPass() {
        assertThat(draw("x4", 0.5)).isInstanceOf(GenerationEvent.Finished.class);
        assertThat(picture().width()).isEqualTo(128);
        assertThat(picture().height()).isEqualTo(128);
    }

    @Test
    void lanczosNeedsNoFile() {
        assertThat(draw("Lanczos", 0.5)).isInstanceOf(GenerationEvent.Finished.class);
        assertThat(picture().width()).isEqualTo(128);
    }

    @Test
    void anUnknownOneIsToldBeforeAnythingIsDrawn() {
        assertThat(draw("Lanczoss", 0.5)).isInstanceOfSatisfying(GenerationEvent.Failed.class, failed ->
                assertThat(failed.toException()).hasMessageContaining("did you mean Lanczos?"));
        assertThat(events).noneMatch(GenerationEvent.Preview.class::isInstance);
    }
}
