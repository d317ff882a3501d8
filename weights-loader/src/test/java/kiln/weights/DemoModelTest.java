package kiln.weights;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The bundled model, as a real file: it needs no other test data. */
class DemoModelTest {
    static final Path DEMO = Path.of("../runtime/demo/kiln-demo.safetensors");

    @Test
    void everyTensorOfTheDemoModelIsReadAndFinite() {
        try (WeightsFile file = WeightsFile.open(DEMO)) {
            assertThat(file.format()).isEqualTo("safetensors");
            assertThat(file.tensors()).hasSizeGreaterThan(100);
            for (TensorInfo tensor : file.tensors()) {
                float[] elements = file.readF32(tensor.name());
                assertThat((long) elements.length).isEqualTo(tensor.elements());
                for (float element : elements) {
                    assertThat(Float.isFinite(element)).isTrue();
                }
            }
        }
    }
}
