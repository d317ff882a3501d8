package kiln.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import kiln.runtime.addon.AddOns;
import kiln.runtime.addon.TensorFile;
import kiln.runtime.base.KilnException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is told of files that prompts can name, and how they are found. */
class AddOnCatalogTest {
    private static final Path DEMO = Path.of("demo", "kiln-demo.safetensors");
    private static final String MODULE = "lora_te_text_model_encoder_layers_0_mlp_fc1";

    @TempDir
    Path folder;

    private static TensorFile lora(String module, int outputs, int inputs) {
        return new TensorFile()
                .add(module + ".lora_up.weight", new float[2 * outputs], outputs, 2)
                .add(module + ".lora_down.weight", new float[2 * inputs], 2, inputs);
    }

    private Map<String, AddOnCatalog.Lora> loras() {
        AddOnCatalog catalog = new AddOnCatalog(new AddOnFolders(List.of(folder), List.of(folder)));
        return catalog.loras(DEMO, true).stream().collect(Collectors.toMap(AddOnCatalog.Lora::name, lora -> lora));
    }

    @Test
    void filesAreToldWithKindRankWordsAndWhatFits() throws IOException {
        lora(MODULE, 256, 64)
                .metadata("ss_output_name", "Painter")
                .metadata("ss_base_model_version", "sd_v1")
                .metadata("ss_tag_frequency", "{\"1_a\": {\"oil\": 2, \"sky\": 5}, \"2_b\": {\"oil\": 4}}")
                .write(folder.resolve("paint.safetensors"));
        lora("lora_unet_nowhere", 4, 4).write(folder.resolve("other.safetensors"));
        Files.writeString(folder.resolve("broken.safetensors"), "no");
        AddOnCatalog.Lora paint = loras().get("paint");
        assertThat(paint.alias()).isEqualTo("Painter");
        assertThat(paint.kinds()).isEqualTo("1 LoRA");
        assertThat(paint.base()).isEqualTo("SD 1.x");
        assertThat(paint.rank()).isEqualTo(2);
        assertThat(paint.words()).containsExactly("oil", "sky");
        assertThat(paint.misfit()).isNull();
        assertThat(loras().get("other").misfit()).contains("does not fit this model", "lora_unet_nowhere");
        assertThat(loras().get("broken").misfit()).contains("broken.safetensors");
    }

    @Test
    void aFileIsFoundByNameAliasAndHash() throws IOException, NoSuchAlgorithmException {
        Path file = lora(MODULE, 256, 64).metadata("ss_output_name", "Painter").write(folder.resolve("paint.safetensors"));
        byte[] bytes = Files.readAllBytes(file);
        int header = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt() + 8;
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        digest.update(bytes, header, bytes.length - header);
        String hash = HexFormat.of().formatHex(digest.digest());
        assertThat(loras().get("paint").hash()).isEqualTo(hash.substring(0, 12));
        AddOns addOns = AddOns.of(List.of(folder), List.of());
        for (String name : List.of("paint", "PAINT", "Painter", hash.substring(0, 12), hash)) {
            assertThat(addOns.lora(name)).as(name).isEqualTo(file);
        }
        lora(MODULE, 256, 64).metadata("ss_output_name", "Painter").write(folder.resolve("paint2.safetensors"));
        assertThatThrownBy(() -> addOns.lora("Painter")).as("two have the alias").isInstanceOf(KilnException.class);
    }

    @Test
    void everyWayToNameAModuleReachesIt() throws IOException {
        List<String> names = List.of(
                "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_q",
                "lora_unet_input_blocks_3_1_transformer_blocks_0_attn1_to_q",
                "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q",
                "base_model.model.down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q",
                "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q",
                "diffusion_model.input_blocks.3.1.transformer_blocks.0.attn1.to_q",
                "lycoris_mid_block_attentions_0_transformer_blocks_0_attn1_to_out_0",
                "lora_unet_up_blocks_0_attentions_1_transformer_blocks_0_attn1_to_q");
        for (int i = 0; i < names.size(); i++) {
            lora(names.get(i), 128, 128).write(folder.resolve("n" + i + ".safetensors"));
        }
        new TensorFile()
                .add("unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1.processor.to_out_lora.up.weight", new float[256], 128, 2)
                .add("unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1.processor.to_out_lora.down.weight", new float[256], 2, 128)
                .write(folder.resolve("old.safetensors"));
        new TensorFile()
                .add("text_encoder.text_model.encoder.layers.0.mlp.fc1.lora_linear_layer.up.weight", new float[512], 256, 2)
                .add("text_encoder.text_model.encoder.layers.0.mlp.fc1.lora_linear_layer.down.weight", new float[128], 2, 64)
                .write(folder.resolve("text.safetensors"));
        assertThat(loras().values()).hasSize(10).allSatisfy(lora -> assertThat(lora.misfit()).as(lora.name()).isNull());
    }
}
