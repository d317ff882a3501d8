package kiln.runtime.family;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import kiln.runtime.base.KilnException;
import kiln.runtime.exec.reference.ReferenceExecutor;
import kiln.runtime.image.Picture;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.job.KeptPictures;
import kiln.runtime.pipeline.Drawing;
import kiln.runtime.pipeline.ModelSession;
import kiln.runtime.sampling.ModelSampling;
import kiln.runtime.sampling.Prediction;
import kiln.weights.TensorInfo;
import kiln.weights.WeightsFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The demo model as the diffusers library would keep it. */
class DiffusersFolderTest {
    private static final Path DEMO = Path.of("demo", "kiln-demo.safetensors");

    /** The demo's blocks: the level, the index in it and what stands there, by the original's numbers. */
    private static final List<String> INPUT_BLOCKS = List.of(
            "conv_in", "down_blocks.0.resnets.0", "down_blocks.0.downsamplers.0", "down_blocks.1.resnets.0", "down_blocks.1.downsamplers.0",
            "down_blocks.2.resnets.0");
    private static final Map<String, String> RESIDUAL = Map.of(
            "in_layers.0", "norm1", "in_layers.2", "conv1", "emb_layers.1", "time_emb_proj", "out_layers.0", "norm2", "out_layers.3", "conv2",
            "skip_connection", "conv_shortcut");
    private static final Map<String, String> UNET_ENDS =
            Map.of("time_embed.0", "time_embedding.linear_1", "time_embed.2", "time_embedding.linear_2", "out.0", "conv_norm_out", "out.2", "conv_out");
    private static final Map<String, String> NEW_ATTENTION =
            Map.of("norm", "group_norm", "q", "to_q", "k", "to_k", "v", "to_v", "proj_out", "to_out.0");
    private static final Map<String, String> OLD_ATTENTION =
            Map.of("norm", "group_norm", "q", "query", "k", "key", "v", "value", "proj_out", "proj_attn");

    @TempDir
    Path folder;

    private static String unet(String name) {
        if (!name.startsWith("model.diffusion_model.")) {
            return null;
        }
        String rest = name.substring("model.diffusion_model.".length());
        String end = rest.substring(rest.lastIndexOf('.'));
        String module = rest.substring(0, rest.lastIndexOf('.'));
        if (UNET_ENDS.containsKey(module)) {
            return UNET_ENDS.get(module) + end;
        }
        String[] words = module.split("\\.", 4);
        if (words[0].equals("middle_block")) {
            String inner = module.substring("middle_block.0.".length());
            return words[1].equals("1")
                    ? "mid_block.attentions.0." + inner + end
                    : "mid_block.resnets." + Integer.parseInt(words[1]) / 2 + "." + RESIDUAL.get(inner) + end;
        }
        int block = Integer.parseInt(words[1]);
        String inner = words.length < 4 ? "" : words[3];
        if (words[0].equals("input_blocks")) {
            String place = INPUT_BLOCKS.get(block);
            if (block == 0) {
                return place + end;
            }
            if (place.contains("downsamplers")) {
                return place + ".conv" + end;
            }
            return words[2].equals("1") ? place.replace("resnets", "attentions") + "." + inner + end : place + "." + RESIDUAL.get(inner) + end;
        }
        String level = "up_blocks." + block / 2;
        return switch (words[2]) {
            case "0" -> level + ".resnets." + block % 2 + "." + RESIDUAL.get(inner) + end;
            case "1" -> level + ".attentions." + block % 2 + "." + inner + end;
            default -> level + ".upsamplers.0." + inner + end;
        };
    }

    private static String vae(String name, Map<String, String> attention) {
        if (!name.startsWith("first_stage_model.")) {
            return null;
        }
        String rest = name.substring("first_stage_model.".length()).replace("nin_shortcut", "conv_shortcut").replace("norm_out", "conv_norm_out");
        Matcher down = Pattern.compile("encoder\\.down\\.(\\d)\\.(.*)").matcher(rest);
        Matcher up = Pattern.compile("decoder\\.up\\.(\\d)\\.(.*)").matcher(rest);
        Matcher block = Pattern.compile("(..coder)\\.mid\\.block_(\\d)\\.(.*)").matcher(rest);
        Matcher attn = Pattern.compile("(..coder)\\.mid\\.attn_1\\.(\\w+)\\.(\\w+)").matcher(rest);
        if (down.matches()) {
            String inner = down.group(2).replace("block.", "resnets.").replace("downsample.conv", "downsamplers.0.conv");
            return "encoder.down_blocks." + down.group(1) + "." + inner;
        }
        if (up.matches()) {
            String inner = up.group(2).replace("block.", "resnets.").replace("upsample.conv", "upsamplers.0.conv");
            return "decoder.up_blocks." + (3 - Integer.parseInt(up.group(1))) + "." + inner;
        }
        if (block.matches()) {
            return block.group(1) + ".mid_block.resnets." + (Integer.parseInt(block.group(2)) - 1) + "." + block.group(3);
        }
        return attn.matches()
                ? attn.group(1) + ".mid_block.attentions.0." + attention.get(attn.group(2)) + "." + attn.group(3)
                : rest;
    }

    /** Newer folders keep the attention's weights as matrices. */
    private static Tensors squeezed(Tensors vae) {
        Tensors matrices = Tensors.of(DEMO, name -> null);
        vae.infos().forEach((name, info) -> {
            boolean squeeze = name.contains(".attentions.") && info.rank() == 4;
            matrices.put(squeeze ? new TensorInfo(name, info.dtype(), info.size(0), info.size(1)) : info, vae.bytes(name));
        });
        return matrices;
    }

    private Path diffusers(String name, boolean old) throws IOException {
        Path model = folder.resolve(name);
        Tensors.of(DEMO, DiffusersFolderTest::unet).write(model.resolve("unet/diffusion_pytorch_model.safetensors"));
        Tensors vae = Tensors.of(DEMO, tensor -> vae(tensor, old ? OLD_ATTENTION : NEW_ATTENTION));
        (old ? vae : squeezed(vae)).write(model.resolve("vae/diffusion_pytorch_model.fp16.safetensors"));
        String text = "cond_stage_model.transformer.";
        Tensors.of(DEMO, tensor -> tensor.startsWith(text) ? tensor.substring(text.length()) : null)
                .write(model.resolve("text_encoder/model.safetensors"));
        Files.writeString(model.resolve("model_index.json"), "{\"_class_name\": \"StableDiffusionPipeline\", \"safety_checker\": [\"a\", \"b\"]}");
        Files.createDirectories(model.resolve("safety_checker"));
        Files.writeString(model.resolve("safety_checker/model.safetensors"), "not looked at");
        return model;
    }

    private void scheduler(Path model, String json) throws IOException {
        Files.createDirectories(model.resolve("scheduler"));
        Files.writeString(model.resolve("scheduler/scheduler_config.json"), json);
    }

    private static float[] elements(ModelFiles files, String tensor, int count) {
        FloatBuffer elements = FloatBuffer.allocate(count);
        files.read(tensor, elements);
        return elements.array();
    }

    private static Picture draw(Path model) {
        GenerationRequest request = GenerationRequest.builder()
                .model(model).prompt("flat red heart").width(64).height(64).steps(2).sampler("Euler").cfgScale(1).seed(3).build();
        KeptPictures kept = new KeptPictures();
        try (ModelSession session = new ModelSession(ModelFiles.open(model), ReferenceExecutor::new)) {
            new Drawing(session, request, kept, () -> false, event -> {}).run();
        }
        return kept.pictures().get(0);
    }

    @Test
    void everyTensorIsFoundUnderItsOriginalName() throws IOException {
        for (boolean old : new boolean[] {false, true}) {
            try (WeightsFile original = WeightsFile.open(DEMO); ModelFiles files = ModelFiles.open(diffusers("model" + old, old))) {
                for (TensorInfo tensor : original.tensors()) {
                    assertThat(files.shape(tensor.name())).as(tensor.name()).isNotNull();
                    assertThat(elements(files, tensor.name(), (int) tensor.elements())).as(tensor.name())
                            .isEqualTo(original.readF32(tensor.name()));
                }
            }
        }
    }

    @Test
    void itDrawsTheCheckpointsPictureToTheBit() throws IOException {
        assertThat(draw(diffusers("new", false)).rgb()).isEqualTo(draw(DEMO).rgb());
    }

    @Test
    void whatThePartsConfigurationsSayIsHeeded() throws IOException {
        Path model = diffusers("v", false);
        scheduler(model, "{\"prediction_type\": \"v_prediction\", \"beta_start\": 0.001, \"beta_end\": 0.02, \"beta_schedule\": \"scaled_linear\"}");
        Files.writeString(model.resolve("vae/config.json"), "{\"scaling_factor\": 0.25}");
        try (ModelFiles files = ModelFiles.open(model)) {
            assertThat(files.model().prediction()).isEqualTo(Prediction.V);
            assertThat(files.model().latent().scale()).isEqualTo(0.25f);
            assertThat(files.model().sampling().sigmas()).isEqualTo(ModelSampling.sd1(0.001, 0.02).sigmas());
            assertThat(files.notes()).isEmpty();
        }
        scheduler(model, "{\"beta_schedule\": \"squaredcos_cap_v2\"}");
        try (ModelFiles files = ModelFiles.open(model)) {
            assertThat(files.notes()).singleElement().asString().contains("squaredcos_cap_v2");
            assertThat(files.model().sampling().sigmas()).isEqualTo(ModelSampling.sd1().sigmas());
        }
        scheduler(model, "{\"prediction_type\": \"sample\"}");
        assertThatThrownBy(() -> ModelFiles.open(model)).isInstanceOf(KilnException.class).hasMessageContaining("scheduler_config.json")
                .hasMessageContaining("\"sample\"");
    }

    @Test
    void weightsInPiecesAreJoined() throws IOException {
        Path model = diffusers("pieces", false);
        Path unet = model.resolve("unet");
        Path whole = unet.resolve("diffusion_pytorch_model.safetensors");
        StringBuilder map = new StringBuilder();
        for (int piece = 0; piece < 2; piece++) {
            String name = "diffusion_pytorch_model-0000" + (piece + 1) + "-of-00002.safetensors";
            int own = piece;
            // The second level's residual lies apart from its downsampling, so that only both pieces tell the blocks' numbers.
            Tensors part = Tensors.of(whole, tensor -> (tensor.contains("resnets") ? 0 : 1) == own ? tensor : null);
            part.write(unet.resolve(name));
            part.infos().keySet().forEach(tensor -> map.append(map.isEmpty() ? "" : ",").append("\"" + tensor + "\":\"" + name + "\""));
        }
        Files.delete(whole);
        Files.writeString(unet.resolve("diffusion_pytorch_model.safetensors.index.json"), "{\"weight_map\": {" + map + "}}");
        try (WeightsFile original = WeightsFile.open(DEMO); ModelFiles files = ModelFiles.open(model)) {
            for (TensorInfo tensor : original.tensors()) {
                assertThat(elements(files, tensor.name(), (int) tensor.elements())).as(tensor.name()).isEqualTo(original.readF32(tensor.name()));
            }
        }
        Files.writeString(unet.resolve("diffusion_pytorch_model.safetensors.index.json"), "{\"weight_map\": {\"a\": \"../../secret\"}}");
        assertThatThrownBy(() -> ModelFiles.open(model)).isInstanceOf(KilnException.class).hasMessageContaining("../../secret");
    }

    @Test
    void aPartThatIsMissingIsNamed() throws IOException {
        Path model = diffusers("broken", false);
        Files.delete(model.resolve("text_encoder/model.safetensors"));
        assertThatThrownBy(() -> ModelFiles.open(model)).isInstanceOf(KilnException.class).hasMessageContaining("text_encoder")
                .hasMessageContaining("no weights");
    }

    @Test
    void theKeyChangesWithEachPart() throws IOException {
        Path model = diffusers("key", false);
        String key = ModelSource.of(model).key();
        assertThat(ModelSource.of(model).key()).isEqualTo(key);
        Files.write(model.resolve("vae/diffusion_pytorch_model.fp16.safetensors"), new byte[1]);
        assertThat(ModelSource.of(model).key()).isNotEqualTo(key);
    }
}
