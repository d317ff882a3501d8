package kiln.runtime.family;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.UnaryOperator;
import kiln.runtime.base.KilnException;
import kiln.runtime.sampling.ModelSampling;
import kiln.runtime.sampling.Prediction;
import kiln.weights.DType;
import kiln.weights.TensorInfo;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Checkpoints in the shapes in which people have them. */
class ModelFilesTest {
    private static final Path DEMO = Path.of("demo", "kiln-demo.safetensors");
    private static final String VAE = "first_stage_model.";
    private static final String UNET = "model.diffusion_model.";
    private static final String CONV_IN = VAE + "decoder.conv_in.bias";
    private static final String OUT = UNET + "out.2.bias";

    @TempDir
    static Path shared;

    @TempDir
    Path folder;

    /** The demo under its own names, to be read beside a yaml. */
    private static Path plain;

    @BeforeAll
    static void copy() throws IOException {
        plain = Files.copy(DEMO, shared.resolve("plain.safetensors"));
    }

    private static float first(ModelFiles files, String tensor) {
        FloatBuffer one = FloatBuffer.allocate(1);
        files.readRange(tensor, 0, one);
        return one.get(0);
    }

    /** An autoencoder of the demo's sizes whose tensors of one size hold one number. */
    private Path vae(String name, float value, UnaryOperator<String> names) throws IOException {
        Tensors vae = Tensors.of(DEMO, tensor -> tensor.startsWith(VAE) ? names.apply(tensor.substring(VAE.length())) : null);
        Tensors filled = Tensors.of(DEMO, tensor -> null);
        vae.infos().values().forEach(info -> {
            ByteBuffer floats = ByteBuffer.allocate((int) info.elements() * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            while (floats.hasRemaining()) {
                floats.putFloat(value);
            }
            filled.put(new TensorInfo(info.name(), DType.F32, info.shape()), floats.array());
        });
        filled.put(new TensorInfo("loss.logvar", DType.F32, 1), new byte[4]).put(new TensorInfo("model_ema.decay", DType.F32, 1), new byte[4]);
        return filled.write(folder.resolve(name));
    }

    @Test
    void anotherAutoencoderTakesThePlaceOfTheOwnWhateverItsPrefix() throws IOException {
        Path bare = vae("bare.vae.safetensors", 3, name -> name);
        Path prefixed = vae("prefixed.vae.safetensors", 4, name -> VAE + name);
        float unet;
        try (ModelFiles own = ModelFiles.open(DEMO)) {
            unet = first(own, OUT);
        }
        for (Map.Entry<Path, Float> vae : Map.of(bare, 3f, prefixed, 4f).entrySet()) {
            try (ModelFiles files = ModelFiles.open(new ModelSource(DEMO, vae.getKey(), null))) {
                assertThat(first(files, CONV_IN)).isEqualTo(vae.getValue());
                assertThat(first(files, OUT)).isEqualTo(unet);
                assertThat(files.shape("loss.logvar")).isNull();
                assertThat(files.model().latent().channels()).isEqualTo(4);
            }
        }
    }

    @Test
    void nothingOfTheOwnAutoencoderStaysBesideAnother() throws IOException {
        Path decoder = vae("decoder.vae.safetensors", 3, name -> name.startsWith("encoder.") ? null : name);
        try (ModelFiles files = ModelFiles.open(new ModelSource(DEMO, decoder, null))) {
            assertThat(files.shape(VAE + "encoder.conv_in.weight")).isNull();
            assertThat(files.shape(CONV_IN)).containsExactly(128);
        }
    }

    @Test
    void aWholeCheckpointLendsItsAutoencoderOnly() throws IOException {
        Tensors other = Tensors.of(DEMO, name -> name);
        other.put(other.infos().get(OUT), new byte[8]);
        other.put(other.infos().get(CONV_IN), new byte[256]);
        Path checkpoint = other.write(folder.resolve("other.safetensors"));
        try (ModelFiles own = ModelFiles.open(DEMO); ModelFiles files = ModelFiles.open(new ModelSource(DEMO, checkpoint, null))) {
            assertThat(first(files, CONV_IN)).isZero();
            assertThat(first(files, OUT)).isEqualTo(first(own, OUT)).isNotZero();
        }
    }

    @Test
    void aFileWithoutAnAutoencoderIsRefusedByName() throws IOException {
        Path text = Tensors.of(DEMO, name -> name.startsWith("cond_stage") ? name : null).write(folder.resolve("text.safetensors"));
        assertThatThrownBy(() -> ModelFiles.open(new ModelSource(DEMO, text, null))).isInstanceOf(KilnException.class)
                .hasMessageContaining("text.safetensors: no VAE");
    }

    @Test
    void theKeyTellsTheAutoencoderAndTheYaml() throws IOException {
        Path checkpoint = Files.writeString(folder.resolve("m.ckpt"), "");
        Path vae = Files.writeString(folder.resolve("v.pt"), "");
        String own = ModelSource.of(checkpoint).key();
        assertThat(new ModelSource(checkpoint, vae, null).key()).isNotEqualTo(own);
        Files.writeString(folder.resolve("m.yaml"), "");
        assertThat(ModelSource.of(checkpoint).key()).isNotEqualTo(own);
    }

    private static String averaged(String name) {
        return "model_ema.diffusion_model" + name.substring(UNET.length()).replace(".", "");
    }

    @Test
    void aCheckpointWithAveragedWeightsOnlyIsReadByThem() throws IOException {
        Path ema = Tensors.of(DEMO, name -> name.startsWith(UNET) ? averaged(name) : name).write(folder.resolve("ema.safetensors"));
        try (ModelFiles own = ModelFiles.open(DEMO); ModelFiles files = ModelFiles.open(ema)) {
            assertThat(files.model().denoiser().inChannels()).isEqualTo(4);
            for (String name : Tensors.of(DEMO, tensor -> tensor).infos().keySet()) {
                assertThat(files.shape(name)).as(name).isEqualTo(own.shape(name));
                assertThat(first(files, name)).as(name).isEqualTo(first(own, name));
            }
        }
    }

    @Test
    void theBlocksOfALargeModelAreToldApartInAveragedNames() throws IOException {
        Tensors tensors = Tensors.of(DEMO, name -> null);
        for (String name : new String[] {
            "input_blocks.0.0.weight", "input_blocks.10.0.in_layers.0.weight", "input_blocks.11.0.skip_connection.bias", "input_blocks.3.0.op.weight",
            "output_blocks.11.1.transformer_blocks.0.attn2.to_out.0.weight", "output_blocks.8.2.conv.bias", "middle_block.1.transformer_blocks.0.ff.net.0.proj.weight",
            "output_blocks.5.1.transformer_blocks.0.norm3.weight", "time_embed.2.weight", "out.0.weight", "output_blocks.0.0.out_layers.3.bias"}) {
            tensors.put(new TensorInfo(averaged(UNET + name), DType.F32, 1), new byte[4]);
        }
        try (ModelFiles files = ModelFiles.open(tensors.write(folder.resolve("names.safetensors")))) {
            assertThat(files.shape(UNET + "input_blocks.0.0.weight")).isNotNull();
            assertThat(files.shape(UNET + "input_blocks.10.0.in_layers.0.weight")).isNotNull();
            assertThat(files.shape(UNET + "input_blocks.11.0.skip_connection.bias")).isNotNull();
            assertThat(files.shape(UNET + "input_blocks.3.0.op.weight")).isNotNull();
            assertThat(files.shape(UNET + "output_blocks.11.1.transformer_blocks.0.attn2.to_out.0.weight")).isNotNull();
            assertThat(files.shape(UNET + "output_blocks.8.2.conv.bias")).isNotNull();
            assertThat(files.shape(UNET + "middle_block.1.transformer_blocks.0.ff.net.0.proj.weight")).isNotNull();
            assertThat(files.shape(UNET + "output_blocks.5.1.transformer_blocks.0.norm3.weight")).isNotNull();
            assertThat(files.shape(UNET + "time_embed.2.weight")).isNotNull();
            assertThat(files.shape(UNET + "out.0.weight")).isNotNull();
            assertThat(files.shape(UNET + "output_blocks.0.0.out_layers.3.bias")).isNotNull();
        }
    }

    @Test
    void averagedWeightsBesideOthersAreTakenOnlyWhenTheYamlSaysSo() throws IOException {
        Tensors both = Tensors.of(DEMO, name -> name);
        both.put(new TensorInfo(averaged(OUT), DType.F16, 4), new byte[8]);
        Path checkpoint = both.write(folder.resolve("both.safetensors"));
        try (ModelFiles files = ModelFiles.open(checkpoint)) {
            assertThat(first(files, OUT)).isNotZero();
        }
        Files.writeString(folder.resolve("both.yaml"), "model:\n  params:\n    use_ema: True\n");
        try (ModelFiles files = ModelFiles.open(checkpoint)) {
            assertThat(first(files, OUT)).isZero();
        }
    }

    private Path withYaml(String yaml) throws IOException {
        Path link = folder.resolve("model.safetensors");
        Files.deleteIfExists(link);
        Files.createLink(link, plain);
        Files.writeString(folder.resolve("model.yaml"), yaml);
        return link;
    }

    @Test
    void theYamlBesideACheckpointSaysHowItIsMeant() throws IOException {
        Path model = withYaml("""
                model:
                  base_learning_rate: 1.0e-04
                  target: ldm.models.diffusion.ddpm.LatentDiffusion
                  params:
                    parameterization: "v"
                    linear_start: 0.001
                    linear_end: 0.0150
                    scale_factor: 0.25
                    use_ema: False
                    unet_config:
                      target: ldm.modules.diffusionmodules.openaimodel.UNetModel
                      params:
                        in_channels: 4
                        context_dim: 64
                    cond_stage_config:
                      target: ldm.modules.encoders.modules.FrozenCLIPEmbedder
                      params:
                        layer: "hidden"
                        layer_idx: 1
                """);
        try (ModelFiles files = ModelFiles.open(model)) {
            assertThat(files.model().prediction()).isEqualTo(Prediction.V);
            assertThat(files.model().latent().scale()).isEqualTo(0.25f);
            assertThat(files.model().sampling().sigmas()).isEqualTo(ModelSampling.sd1(0.001, 0.015).sigmas());
            // Of two layers, the result of the first.
            assertThat(files.defaults().builder().build().clipSkip()).isEqualTo(2);
            assertThat(files.notes()).isEmpty();
        }
    }

    @Test
    void thePenultimateLayerIsAClipSkipOf2() throws IOException {
        try (ModelFiles files = ModelFiles.open(withYaml("model: {params: {cond_stage_config: {params: {layer: penultimate}}}}"))) {
            assertThat(files.defaults().builder().build().clipSkip()).isEqualTo(2);
            assertThat(files.model().prediction()).isEqualTo(Prediction.EPS);
        }
    }

    @Test
    void aConfigForAllTakesTurnsAfterTheModelsOwn() throws IOException {
        Path config = Files.writeString(folder.resolve("config.yaml"), "model: {params: {parameterization: v}}");
        try (ModelFiles files = ModelFiles.open(new ModelSource(DEMO, null, config))) {
            assertThat(files.model().prediction()).isEqualTo(Prediction.V);
        }
        try (ModelFiles files = ModelFiles.open(new ModelSource(withYaml("model: {params: {parameterization: eps}}"), null, config))) {
            assertThat(files.model().prediction()).isEqualTo(Prediction.EPS);
        }
    }

    @Test
    void aYamlThatContradictsTheTensorsOrSaysTheImpossibleIsRefusedInOneLine() throws IOException {
        assertRefused("model: {params: {unet_config: {params: {in_channels: 9}}}}", "says in_channels 9, the model's tensors have 4");
        assertRefused("model: {params: {unet_config: {params: {context_dim: 768}}}}", "says context_dim 768, the model's tensors have 64");
        assertRefused("model: {params: {parameterization: x0}}", "predicts \"x0\"");
        assertRefused("model: {params: {scale_factor: -1}}", "scale of the latents of -1.0");
        assertRefused("model: {params: {cond_stage_config: {params: {layer: hidden, layer_idx: 40}}}}", "layer 40");
        assertRefused("model: [", "not YAML");
        assertRefused("a: &a [x]\n" + "b: &b [*a, *a, *a]\nc: [*b, *b]\n".repeat(30), "not YAML");
        assertRefused("[".repeat(100_000), "not YAML");
        assertRefused("#".repeat(2 << 20), "more than 1048576 bytes");
    }

    private void assertRefused(String yaml, String reason) throws IOException {
        Path model = withYaml(yaml);
        assertThatThrownBy(() -> {
            try (ModelFiles files = ModelFiles.open(model)) {
                files.model();
                files.defaults();
            }
        }).isInstanceOf(KilnException.class).hasMessageContaining("model.yaml").hasMessageContaining(reason)
                .satisfies(e -> assertThat(e.getMessage()).doesNotContain("\n"));
    }

    @Test
    void aYamlThatSaysNothingOfAModelIsTold() throws IOException {
        try (ModelFiles files = ModelFiles.open(withYaml("hello: world"))) {
            assertThat(files.notes()).singleElement().asString().contains("model.yaml").contains("model.params");
        }
    }

    @Test
    void eachNumberFormatOfAFileIsReadAsWhatItStandsFor() throws IOException {
        float[] values = {0, 1, -1.5f, 0.25f, 448, -0.015625f};
        Tensors tensors = Tensors.of(DEMO, name -> null);
        for (DType type : new DType[] {DType.F64, DType.F32, DType.F16, DType.BF16, DType.F8_E4M3, DType.F8_E5M2}) {
            ByteBuffer bytes = ByteBuffer.allocate(values.length * type.bytes()).order(ByteOrder.LITTLE_ENDIAN);
            for (float value : values) {
                // All of these formats keep all of these values exactly.
                switch (type) {
                    case F64 -> bytes.putDouble(value);
                    case F32 -> bytes.putFloat(value);
                    case F16 -> bytes.putShort(half(value));
                    case BF16 -> bytes.putShort((short) (Float.floatToRawIntBits(value) >>> 16));
                    case F8_E4M3 -> bytes.put(e4m3(value));
                    default -> bytes.put((byte) (half(value) >>> 8));
                }
            }
            tensors.put(new TensorInfo(UNET + type, type, values.length), bytes.array());
        }
        try (ModelFiles files = ModelFiles.open(tensors.write(folder.resolve("types.safetensors")))) {
            for (String name : tensors.infos().keySet()) {
                FloatBuffer read = FloatBuffer.allocate(values.length);
                files.read(name, read);
                assertThat(read.array()).as(name).containsExactly(values);
                FloatBuffer range = FloatBuffer.allocate(2);
                files.readRange(name, 2, range);
                assertThat(range.array()).as(name).containsExactly(values[2], values[3]);
                assertThat(files.hasHalves(name)).as(name).isEqualTo(name.endsWith(".F16"));
            }
        }
    }

    /** A value that a half keeps exactly: sign, exponent of bias 15, ten bits of the fraction. */
    private static short half(float value) {
        int bits = Float.floatToRawIntBits(value);
        return value == 0 ? 0 : (short) (bits >>> 16 & 0x8000 | (bits >>> 23 & 0xff) - 112 << 10 | bits >>> 13 & 0x3ff);
    }

    /** A value that the format keeps exactly: sign, exponent of bias 7, three bits of the fraction. */
    private static byte e4m3(float value) {
        int bits = Float.floatToRawIntBits(value);
        return value == 0 ? 0 : (byte) (bits >>> 24 & 0x80 | (bits >>> 23 & 0xff) - 120 << 3 | bits >>> 20 & 7);
    }
}
