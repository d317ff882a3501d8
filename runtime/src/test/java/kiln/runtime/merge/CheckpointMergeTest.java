package kiln.runtime.merge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.KilnException.Category;
import kiln.runtime.merge.MergeRecipe.Format;
import kiln.runtime.merge.MergeRecipe.Method;
import kiln.runtime.store.SafetensorsFile;
import kiln.weights.DType;
import kiln.weights.ModelHashes;
import kiln.weights.ShortFloats;
import kiln.weights.TensorInfo;
import kiln.weights.WeightsFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointMergeTest {
    private static final Path DEMO = Path.of("demo/kiln-demo.safetensors");
    private static final String FIRST = "model.diffusion_model.input_blocks.0.0.weight";
    private static final String MIDDLE = "model.diffusion_model.middle_block.0.in_layers.0.weight";
    private static final String TEXT = "cond_stage_model.transformer.text_model.final_layer_norm.weight";
    private static final String POSITIONS = "cond_stage_model.transformer.text_model.embeddings.position_ids";
    private static final String DECODER = "first_stage_model.decoder.conv_in.weight";

    @TempDir
    private Path folder;

    private final Random random = new Random(20);

    /** A checkpoint's first convolution, a block, a text weight, positions and a decoder's weight; more than one piece of 2^20 elements. */
    private Path checkpoint(String name, int inputChannels, DType dtype, Map<String, String> metadata) {
        List<TensorInfo> tensors = List.of(
                new TensorInfo(FIRST, dtype, 6, inputChannels, 3, 3),
                new TensorInfo(MIDDLE, dtype, 1500, 1000),
                new TensorInfo(TEXT, dtype, 8),
                new TensorInfo(POSITIONS, DType.I64, 1, 2),
                new TensorInfo(DECODER, dtype, 2, 4, 3, 3),
                new TensorInfo("alphas_cumprod", DType.F32, 3));
        return save(name, tensors, metadata);
    }

    private Path save(String name, List<TensorInfo> tensors, Map<String, String> metadata) {
        Path file = folder.resolve(name + ".safetensors");
        SafetensorsFile.save(file, tensors, metadata, out -> {
            for (TensorInfo tensor : tensors) {
                ByteBuffer bytes = ByteBuffer.allocate((int) tensor.bytes()).order(ByteOrder.LITTLE_ENDIAN);
                while (bytes.hasRemaining()) {
                    float value = (float) random.nextGaussian();
                    switch (tensor.dtype()) {
                        case F16 -> bytes.putShort(ShortFloats.f32ToF16(value));
                        case BF16 -> bytes.putShort(ShortFloats.f32ToBf16(value));
                        case I64 -> bytes.putLong(random.nextInt(77));
                        default -> bytes.putFloat(value);
                    }
                }
                out.write(bytes.array());
            }
        });
        return file;
    }

    private Path checkpoint(String name) {
        return checkpoint(name, 4, DType.F32, Map.of());
    }

    private static MergeRecipe sum(Path a, Path b, double multiplier) {
        return new MergeRecipe(a, b, null, Method.WEIGHTED_SUM, multiplier, null, Format.KEEP, null, null);
    }

    private Path merge(MergeRecipe recipe) {
        Path file = folder.resolve("merged.safetensors");
        CheckpointMerge.write(recipe, file, folder.resolve("cache"), done -> { }, () -> false);
        return file;
    }

    private static float[] read(Path file, String tensor) {
        try (WeightsFile weights = WeightsFile.open(file)) {
            return weights.readF32(tensor);
        }
    }

    private static float[] expected(float[] a, float[] b, double multiplier) {
        float[] sum = new float[a.length];
        for (int i = 0; i < a.length; i++) {
            sum[i] = (float) ((1 - multiplier) * a[i] + multiplier * b[i]);
        }
        return sum;
    }

    @Test
    void aWeightedSumIsTakenOfWhatBothHaveAndNamesAModel() {
        Path a = checkpoint("a");
        Path b = checkpoint("b");
        Path merged = merge(sum(a, b, 0.3));
        for (String name : List.of(FIRST, MIDDLE, TEXT, DECODER)) {
            assertThat(read(merged, name)).as(name).isEqualTo(expected(read(a, name), read(b, name), 0.3));
        }
        assertThat(read(merged, POSITIONS)).isEqualTo(read(a, POSITIONS));
        assertThat(read(merged, "alphas_cumprod")).isEqualTo(read(a, "alphas_cumprod"));
    }

    @Test
    void aDifferenceIsAddedAndWhatTheThirdLacksIsNoDifference() {
        Path a = checkpoint("a");
        Path b = checkpoint("b");
        Path c = save("c", List.of(new TensorInfo(FIRST, DType.F16, 6, 4, 3, 3), new TensorInfo(MIDDLE, DType.F16, 1500, 1000)), Map.of());
        Path merged = merge(new MergeRecipe(a, b, c, Method.ADD_DIFFERENCE, 0.7, null, Format.KEEP, null, null));
        float[] first = read(a, FIRST);
        float[] other = read(b, FIRST);
        float[] subtracted = read(c, FIRST);
        for (int i = 0; i < first.length; i++) {
            first[i] = (float) (first[i] + 0.7 * ((double) other[i] - subtracted[i]));
        }
        assertThat(read(merged, FIRST)).isEqualTo(first);
        assertThat(read(merged, TEXT)).isEqualTo(read(a, TEXT));
    }

    @Test
    void blocksHaveMultipliersOfTheirOwn() {
        Path a = checkpoint("a");
        Path b = checkpoint("b");
        Path merged = merge(new MergeRecipe(
                a, b, null, Method.WEIGHTED_SUM, 0.3, BlockMultipliers.parse("GRAD_V"), Format.KEEP, null, null));
        assertThat(read(merged, FIRST)).isEqualTo(read(b, FIRST));
        assertThat(read(merged, MIDDLE)).isEqualTo(read(a, MIDDLE));
        assertThat(read(merged, TEXT)).isEqualTo(expected(read(a, TEXT), read(b, TEXT), 0.3));
    }

    @Test
    void anInpaintingModelTakesAnotherInItsFirstFourChannels() throws IOException {
        Path a = checkpoint("a", 9, DType.F32, Map.of());
        Path b = checkpoint("b");
        float[] wide = read(a, FIRST);
        float[] narrow = read(b, FIRST);
        for (int row = 0; row < 6; row++) {
            for (int i = 0; i < 36; i++) {
                wide[row * 81 + i] = (float) (0.5 * wide[row * 81 + i] + 0.5 * narrow[row * 36 + i]);
            }
        }
        Path merged = merge(sum(a, b, 0.5));
        assertThat(read(merged, FIRST)).isEqualTo(wide);
        assertThat(recipe(merged).path("is_inpainting").asBoolean()).isTrue();
        assertThatThrownBy(() -> CheckpointMerge.write(sum(b, a, 0.5), folder.resolve("x.safetensors"), null, done -> { }, () -> false))
                .hasMessageContaining("give it first");
    }

    @Test
    void everyFormatOfNumbersIsWritten() {
        Path a = checkpoint("a", 4, DType.F16, Map.of());
        Path b = checkpoint("b", 4, DType.BF16, Map.of());
        for (Format format : Format.values()) {
            Path file = folder.resolve(format + ".safetensors");
            MergeRecipe recipe = new MergeRecipe(a, b, null, Method.WEIGHTED_SUM, 0.25, null, format, null, null);
            CheckpointMerge.write(recipe, file, null, done -> { }, () -> false);
            float[] sum = expected(read(a, MIDDLE), read(b, MIDDLE), 0.25);
            for (int i = 0; i < sum.length; i++) {
                sum[i] = switch (format) {
                    case F32 -> sum[i];
                    case BF16 -> ShortFloats.bf16ToF32(ShortFloats.f32ToBf16(sum[i]));
                    default -> ShortFloats.f16ToF32(ShortFloats.f32ToF16(sum[i]));
                };
            }
            assertThat(read(file, MIDDLE)).as(format.name()).isEqualTo(sum);
            try (WeightsFile weights = WeightsFile.open(file)) {
                assertThat(weights.tensor(POSITIONS).orElseThrow().dtype()).isEqualTo(DType.I64);
                assertThat(weights.tensor(TEXT).orElseThrow().dtype().name()).isEqualTo(format == Format.KEEP ? "F16" : format.name());
            }
        }
    }

    @Test
    void aModelMergedWithItselfStaysTheSameToTheBit() throws IOException {
        Path merged = merge(sum(DEMO, DEMO, 0.3));
        List<String> names = new ArrayList<>();
        try (WeightsFile before = WeightsFile.open(DEMO); WeightsFile after = WeightsFile.open(merged)) {
            assertThat(after.tensors()).isEqualTo(before.tensors());
            before.tensors().forEach(tensor -> names.add(tensor.name()));
            for (String name : names) {
                before.lend(name, bytes -> after.lend(name, others -> assertThat(others.equals(bytes)).as(name).isTrue()));
            }
        }
        assertThat(names).hasSizeGreaterThan(100);
    }

    @Test
    void aVaeIsBakedInAndWeightsAreLeftOut() {
        Path a = checkpoint("a");
        Path vae = save("vae", List.of(new TensorInfo("decoder.conv_in.weight", DType.F32, 2, 4, 3, 3)), Map.of());
        Path merged = merge(new MergeRecipe(
                a, null, null, Method.NONE, 0.3, null, Format.KEEP, vae, Pattern.compile("^cond_stage_model|alphas")));
        assertThat(read(merged, DECODER)).isEqualTo(read(vae, "decoder.conv_in.weight"));
        try (WeightsFile weights = WeightsFile.open(merged)) {
            assertThat(weights.tensors()).extracting(TensorInfo::name).containsExactly(FIRST, MIDDLE, DECODER);
        }
    }

    @Test
    void oldNamesOfTheTextEncoderMeetTheUsualOnes() {
        Path a = checkpoint("a");
        Path b = save("b", List.of(
                new TensorInfo(FIRST, DType.F32, 6, 4, 3, 3),
                new TensorInfo(TEXT.replace("text_model.", ""), DType.F32, 8)), Map.of());
        assertThat(read(merge(sum(a, b, 1)), TEXT)).isEqualTo(read(b, TEXT.replace("text_model.", "")));
    }

    private static JsonNode recipe(Path file) throws IOException {
        try (WeightsFile weights = WeightsFile.open(file)) {
            return new ObjectMapper().readTree(weights.metadata().get("sd_merge_recipe"));
        }
    }

    @Test
    void theMetadataSayWhatWasMerged() throws IOException {
        Map<String, String> earlier = new LinkedHashMap<>();
        earlier.put("sd_merge_recipe", "{\"type\":\"webui\"}");
        earlier.put("sd_merge_models", "{\"0011\":{\"name\":\"older.ckpt\"}}");
        earlier.put("note", "kept");
        Path a = checkpoint("a", 4, DType.F32, earlier);
        Path b = checkpoint("b", 4, DType.F32, Map.of("sd_merge_models", "[not, json"));
        Path merged = merge(sum(a, b, 0.3));
        ModelHashes hashes = new ModelHashes(folder.resolve("cache"));
        JsonNode recipe = recipe(merged);
        assertThat(recipe.path("primary_model_hash").asText()).isEqualTo(hashes.sha256(a));
        assertThat(recipe.path("secondary_model_hash").asText()).isEqualTo(hashes.sha256(b));
        assertThat(recipe.path("tertiary_model_hash").isNull()).isTrue();
        assertThat(recipe.path("interp_method").asText()).isEqualTo("Weighted sum");
        assertThat(recipe.path("multiplier").asDouble()).isEqualTo(0.3);
        try (WeightsFile weights = WeightsFile.open(merged)) {
            assertThat(weights.metadata()).containsEntry("format", "pt").containsEntry("note", "kept");
            JsonNode models = new ObjectMapper().readTree(weights.metadata().get("sd_merge_models"));
            assertThat(models.path(hashes.sha256(a)).path("sd_merge_recipe").path("type").asText()).isEqualTo("webui");
            assertThat(models.path(hashes.sha256(b)).path("name").asText()).isEqualTo("b.safetensors");
            assertThat(models.path("0011").path("name").asText()).isEqualTo("older.ckpt");
        }
    }

    @Test
    void whatCannotBeMergedIsToldInOneLineAndLeavesNothing() throws IOException {
        Path a = checkpoint("a");
        Path other = save("other", List.of(new TensorInfo(FIRST, DType.F32, 5, 4, 3, 3)), Map.of());
        Path lora = save("lora", List.of(new TensorInfo("lora_unet_x.lora_up.weight", DType.F32, 2, 2)), Map.of());
        Path cut = folder.resolve("cut.safetensors");
        byte[] whole = Files.readAllBytes(a);
        Files.write(cut, Arrays.copyOf(whole, whole.length / 2));
        assertRefused(sum(a, other, 0.3), Category.UNSUPPORTED_MODEL, FIRST);
        assertRefused(sum(a, lora, 0.3), Category.UNSUPPORTED_MODEL, "LoRA");
        assertRefused(sum(a, cut, 0.3), Category.CORRUPT_FILE, "cut.safetensors");
        assertRefused(sum(a, folder.resolve("none.safetensors"), 0.3), Category.NOT_FOUND, "no such file");
        assertRefused(sum(a, folder, 0.3), Category.BAD_REQUEST, "folder");
        assertRefused(
                new MergeRecipe(a, null, null, Method.NONE, 0.3, null, Format.KEEP, a, Pattern.compile("")),
                Category.BAD_REQUEST, "nothing would be left");
        assertThatThrownBy(() -> CheckpointMerge.write(sum(a, a, 0.3), a, null, done -> { }, () -> false))
                .hasMessageContaining("there is such a file already");
        assertThat(Files.readAllBytes(a)).isEqualTo(whole);
        assertThatThrownBy(() -> sum(a, null, 0.3)).hasMessageContaining("takes 2 models: 1 is given");
        assertThatThrownBy(() -> sum(a, a, Double.NaN)).hasMessageContaining("NaN");
    }

    private void assertRefused(MergeRecipe recipe, Category category, String part) throws IOException {
        List<Path> before = list();
        assertThatThrownBy(() -> CheckpointMerge.write(recipe, folder.resolve("x.safetensors"), null, done -> { }, () -> false))
                .isInstanceOfSatisfying(KilnException.class, e -> assertThat(e.category()).isEqualTo(category))
                .hasMessageContaining(part).hasMessageNotContaining("\n");
        assertThat(list()).isEqualTo(before);
    }

    private List<Path> list() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().toList();
        }
    }

    @Test
    void aCancelledMergeLeavesNothing() throws IOException {
        Path a = checkpoint("a");
        List<Path> before = list();
        double[] done = {0};
        AtomicInteger asked = new AtomicInteger();
        assertThatThrownBy(() -> CheckpointMerge.write(
                sum(a, a, 0.3), folder.resolve("x.safetensors"), null, part -> done[0] = part, () -> asked.incrementAndGet() > 3))
                .isInstanceOfSatisfying(KilnException.class, e -> assertThat(e.category()).isEqualTo(Category.CANCELLED));
        assertThat(list()).isEqualTo(before);
        assertThat(done[0]).isLessThan(1);
    }
}
