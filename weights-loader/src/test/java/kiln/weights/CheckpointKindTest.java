package kiln.weights;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class CheckpointKindTest {
    private static final String CLIP = "cond_stage_model.transformer.text_model.embeddings.position_embedding.weight 77 768";
    private static final String OPEN_CLIP = "cond_stage_model.model.transformer.resblocks.0.attn.in_proj_weight 3072 1024";
    private static final String TEXT_ATTENTION = "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight 320 ";

    private static String input(int channels) {
        return "model.diffusion_model.input_blocks.0.0.weight 320 " + channels + " 3 3";
    }

    static Stream<Arguments> files() {
        return Stream.of(
                Arguments.of(CheckpointKind.SD1, List.of(input(4), CLIP, TEXT_ATTENTION + 768)),
                Arguments.of(CheckpointKind.SD1, List.of(input(4), TEXT_ATTENTION + 768)),
                Arguments.of(CheckpointKind.SD1_INPAINTING, List.of(input(9), CLIP)),
                Arguments.of(CheckpointKind.SD1_INSTRUCT, List.of(input(8), CLIP)),
                Arguments.of(CheckpointKind.SD2, List.of(input(4), OPEN_CLIP)),
                Arguments.of(CheckpointKind.SD2, List.of(input(4), TEXT_ATTENTION + 1024)),
                Arguments.of(CheckpointKind.SD2, List.of(input(4), "conditioner.embedders.0.model.ln_final.weight 1024")),
                Arguments.of(CheckpointKind.SD2_INPAINTING, List.of(input(9), OPEN_CLIP)),
                Arguments.of(CheckpointKind.SD2_DEPTH,
                        List.of(input(5), OPEN_CLIP, "depth_model.model.pretrained.act_postprocess3.0.project.0.bias 768")),
                Arguments.of(CheckpointKind.SD2_UNCLIP, List.of(input(4), OPEN_CLIP, "embedder.model.ln_final.weight 768")),
                Arguments.of(CheckpointKind.SDXL, List.of(input(4), "conditioner.embedders.1.model.ln_final.weight 1280")),
                Arguments.of(CheckpointKind.SDXL, List.of(input(4), TEXT_ATTENTION + 2048)),
                Arguments.of(CheckpointKind.SDXL_INPAINTING, List.of(input(9), "conditioner.embedders.1.model.ln_final.weight 1280")),
                Arguments.of(CheckpointKind.SDXL_REFINER, List.of(input(4), "conditioner.embedders.0.model.ln_final.weight 1280")),
                Arguments.of(CheckpointKind.SD3, List.of("model.diffusion_model.x_embedder.proj.weight 1536 16 2 2")),
                Arguments.of(CheckpointKind.ALT_DIFFUSION,
                        List.of(input(4), "cond_stage_model.roberta.embeddings.word_embeddings.weight 250002 1024")),
                Arguments.of(CheckpointKind.VAE, List.of("decoder.conv_in.weight 512 4 3 3", "encoder.conv_in.weight 128 3 3 3")),
                Arguments.of(CheckpointKind.VAE, List.of("first_stage_model.decoder.conv_in.weight 512 4 3 3")),
                Arguments.of(CheckpointKind.LORA, List.of("lora_unet_mid_block_attentions_0_proj_in.lora_down.weight 8 1280 1 1")),
                Arguments.of(CheckpointKind.LORA, List.of("unet.down_blocks.0.attn1.to_q.lora_A.weight 8 320")),
                Arguments.of(CheckpointKind.LORA, List.of("lora_unet_down_blocks_0_attn1_to_q.hada_w1_a 320 8")),
                Arguments.of(CheckpointKind.TEXTUAL_INVERSION, List.of("string_to_param.* 2 768", "string_to_token.*")),
                Arguments.of(CheckpointKind.TEXTUAL_INVERSION, List.of("emb_params 4 1024")),
                Arguments.of(CheckpointKind.TEXTUAL_INVERSION, List.of("<cat> 768")),
                Arguments.of(CheckpointKind.TEXTUAL_INVERSION, List.of("clip_l 2 768", "clip_g 2 1280")),
                Arguments.of(CheckpointKind.HYPERNETWORK, List.of("320.0.linear.0.weight 640 320", "320.1.linear1.bias 640")),
                Arguments.of(CheckpointKind.UNKNOWN, List.of("layer.weight 3 3")),
                Arguments.of(CheckpointKind.UNKNOWN, List.of()));
    }

    @ParameterizedTest
    @MethodSource("files")
    void theKindIsReadFromNamesAndShapes(CheckpointKind kind, List<String> tensors) {
        List<TensorInfo> infos = tensors.stream().map(line -> {
            String[] parts = line.split(" ");
            long[] shape = Arrays.stream(parts).skip(1).mapToLong(Long::parseLong).toArray();
            return new TensorInfo(parts[0], DType.F16, shape);
        }).toList();
        assertThat(CheckpointKind.of(infos)).isEqualTo(kind);
    }

    @Test
    void realFilesAreWhatTheyAre() {
        assertThat(kind(DemoModelTest.DEMO)).isEqualTo(CheckpointKind.SD1);
        assertThat(kind(TorchFixturesTest.FIXTURES.resolve("lightning.ckpt"))).isEqualTo(CheckpointKind.SD1);
        assertThat(kind(TorchFixturesTest.FIXTURES.resolve("embedding.pt"))).isEqualTo(CheckpointKind.TEXTUAL_INVERSION);
        assertThat(kind(TorchFixturesTest.FIXTURES.resolve("learned_embeds.bin"))).isEqualTo(CheckpointKind.TEXTUAL_INVERSION);
        assertThat(kind(TorchFixturesTest.FIXTURES.resolve("hypernetwork.pt"))).isEqualTo(CheckpointKind.HYPERNETWORK);
    }

    private static CheckpointKind kind(java.nio.file.Path path) {
        try (WeightsFile file = WeightsFile.open(path)) {
            return CheckpointKind.of(file);
        }
    }
}
