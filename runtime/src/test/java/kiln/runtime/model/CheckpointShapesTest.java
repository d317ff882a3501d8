package kiln.runtime.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import kiln.runtime.family.ModelFiles;
import org.junit.jupiter.api.Test;

class CheckpointShapesTest {
    @Test
    void theDemoModelsAreThoseOfItsFile() {
        Map<String, List<Integer>> written = CheckpointShapes.DEMO.tensors();
        try (ModelFiles file = ModelFiles.open(Path.of("demo", "kiln-demo.safetensors"))) {
            Map<String, List<Integer>> found = new TreeMap<>();
            written.keySet().forEach(name -> found.put(name, file.shape(name)));
            assertThat(found).isEqualTo(written);
            assertThat(Checkpoint.infer(file::shape)).isEqualTo(Checkpoint.infer(written::get));
        }
    }

    @Test
    void stableDiffusionHasAsManyParametersAsItsAuthorsCount() {
        Map<String, List<Integer>> tensors = CheckpointShapes.STABLE_DIFFUSION_15.tensors();
        // Without the text encoder's position numbers, which are no parameters.
        assertThat(parameters(tensors, UNet.PREFIX)).isEqualTo(859_520_964);
        assertThat(parameters(tensors, Autoencoder.PREFIX)).isEqualTo(83_653_863);
        assertThat(parameters(tensors, ClipText.PREFIX)).isEqualTo(123_060_480);
        // Five channels more of a 3x3 window to 320.
        assertThat(parameters(CheckpointShapes.STABLE_DIFFUSION_15_INPAINTING.tensors(), UNet.PREFIX)).isEqualTo(859_520_964 + 5 * 9 * 320);
    }

    private static long parameters(Map<String, List<Integer>> tensors, String prefix) {
        return tensors.entrySet().stream()
                .filter(entry -> entry.getKey().startsWith(prefix))
                .mapToLong(entry -> entry.getValue().stream().mapToLong(Integer::longValue).reduce(1, (a, b) -> a * b))
                .sum();
    }
}
