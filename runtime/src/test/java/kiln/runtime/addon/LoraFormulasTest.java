package kiln.runtime.addon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import kiln.runtime.base.KilnException;
import kiln.weights.TensorInfo;
import kiln.weights.WeightsFile;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Changed weights against PyTorch's, by the definitions that {@code oracle/lora_golden.py} names. */
class LoraFormulasTest {
    private static final Path GOLDEN = Path.of("src", "test", "resources", "lora", "cases.safetensors");
    /** Of the largest element: the goldens are computed in 64 bits and stored in 32. */
    private static final double TOLERANCE = 1e-5;

    @TempDir
    Path folder;

    private static JsonNode cases() throws IOException {
        try (WeightsFile file = WeightsFile.open(GOLDEN)) {
            return new ObjectMapper().readTree(file.metadata().get("cases"));
        }
    }

    static Stream<String> names() throws IOException {
        Iterable<String> names = cases()::fieldNames;
        return StreamSupport.stream(names.spliterator(), false);
    }

    private static Values read(WeightsFile file, TensorInfo tensor) {
        return new Values(tensor.shape().stream().mapToInt(Math::toIntExact).toArray(), file.readF32(tensor.name()));
    }

    @ParameterizedTest
    @MethodSource("names")
    void aWeightIsChangedByItsDefinition(String name) throws IOException {
        JsonNode about = cases().get(name);
        TensorFile parts = new TensorFile();
        Values base = null;
        Values merged = null;
        try (WeightsFile file = WeightsFile.open(GOLDEN)) {
            for (TensorInfo tensor : file.tensors()) {
                String[] words = tensor.name().split("\\|");
                if (words[0].equals(name)) {
                    switch (words[1]) {
                        case "base" -> base = read(file, tensor);
                        case "merged" -> merged = read(file, tensor);
                        default -> parts.add("lora_unet_x." + words[2], read(file, tensor));
                    }
                }
            }
        }
        float[] weight = base.data().clone();
        List<Integer> shape = Arrays.stream(base.shape()).boxed().toList();
        int ranks = about.get("ranks").isNull() ? Integer.MAX_VALUE : about.get("ranks").asInt();
        try (LoraFile lora = LoraFile.open(parts.write(folder.resolve("x.safetensors")))) {
            assertThat(lora.unknownKeys()).isEmpty();
            LoraUse use = new LoraUse("x", 0, about.get("multiplier").asDouble(), ranks, BlockWeights.ALL);
            LoraTargets targets = new LoraTargets("a test", Map.of("lora_unet_x", "x"), tensor -> tensor.equals("x.weight") ? shape : null);
            targets.place(lora, use).changes().get("x.weight").apply(shape, weight);
        }
        double largest = 0;
        for (float value : merged.data()) {
            largest = Math.max(largest, Math.abs(value));
        }
        for (int i = 0; i < weight.length; i++) {
            assertThat((double) weight[i]).as("element " + i).isCloseTo(merged.data()[i], Offset.offset(TOLERANCE * largest));
        }
    }

    private void place(TensorFile file) throws IOException {
        try (LoraFile lora = LoraFile.open(file.write(folder.resolve("bad.safetensors")))) {
            LoraTargets targets = new LoraTargets("SD 1.x", Map.of("lora_unet_x", "x"), tensor -> tensor.equals("x.weight") ? List.of(6, 4) : null);
            LoraUse use = new LoraUse("bad", 1, 1, Integer.MAX_VALUE, BlockWeights.ALL);
            targets.place(lora, use).changes().get("x.weight").apply(List.of(6, 4), new float[24]);
        }
    }

    @Test
    void shapesThatDoNotFitAreNamed() {
        TensorFile lora = new TensorFile().add("lora_unet_x.lora_up.weight", new float[12], 6, 2).add("lora_unet_x.lora_down.weight", new float[10], 2, 5);
        assertThatThrownBy(() -> place(lora)).isInstanceOf(KilnException.class).hasMessageContaining("6×5").hasMessageContaining("6×4");
        TensorFile ranks = new TensorFile().add("lora_unet_x.lora_up.weight", new float[18], 6, 3).add("lora_unet_x.lora_down.weight", new float[8], 2, 4);
        assertThatThrownBy(() -> place(ranks)).isInstanceOf(KilnException.class).hasMessageContaining("lora_unet_x");
        TensorFile kron = new TensorFile().add("lora_unet_x.lokr_w1", new float[4], 2, 2).add("lora_unet_x.lokr_w2", new float[9], 3, 3);
        assertThatThrownBy(() -> place(kron)).isInstanceOf(KilnException.class).hasMessageContaining("lora_unet_x");
        TensorFile oft = new TensorFile().add("lora_unet_x.oft_blocks", new float[32], 2, 4, 4);
        assertThatThrownBy(() -> place(oft)).isInstanceOf(KilnException.class).hasMessageContaining("6 rows");
        TensorFile scalar = new TensorFile().add("lora_unet_x.oft_blocks", new float[1]);
        assertThatThrownBy(() -> place(scalar)).isInstanceOf(KilnException.class).hasMessageContaining("lora_unet_x");
    }

    @Test
    void whatIsNoNumberIsNamed() {
        float[] values = new float[8];
        values[3] = Float.NaN;
        TensorFile lora = new TensorFile().add("lora_unet_x.lora_up.weight", new float[12], 6, 2).add("lora_unet_x.lora_down.weight", values, 2, 4);
        assertThatThrownBy(() -> place(lora)).isInstanceOf(KilnException.class).hasMessageContaining("lora_down.weight holds values that are no numbers");
        values[3] = Float.NEGATIVE_INFINITY;
        assertThatThrownBy(() -> place(lora)).isInstanceOf(KilnException.class).hasMessageContaining("no numbers");
    }

    @Test
    void aFileForAnotherFamilyIsToldWithItsName() {
        TensorFile sdxl = new TensorFile()
                .metadata("ss_base_model_version", "sdxl_base_v1-0")
                .add("lora_unet_y.lora_up.weight", new float[12], 6, 2)
                .add("lora_unet_y.lora_down.weight", new float[8], 2, 4);
        assertThatThrownBy(() -> place(sdxl))
                .isInstanceOf(KilnException.class)
                .hasMessageContaining("bad.safetensors")
                .hasMessageContaining("made for SDXL")
                .hasMessageContaining("SD 1.x");
        TensorFile checkpoint = new TensorFile().add("model.diffusion_model.out.2.weight", new float[4], 2, 2).add("betas", new float[4], 4);
        assertThatThrownBy(() -> place(checkpoint)).isInstanceOf(KilnException.class).hasMessageContaining("none of its 2 tensors");
    }
}
