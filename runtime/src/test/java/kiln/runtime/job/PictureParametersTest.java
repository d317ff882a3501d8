package kiln.runtime.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PictureParametersTest {
    private static PictureParameters of(Map<String, String> texts) {
        return PictureParameters.of(texts, 512, 768).orElseThrow();
    }

    @Test
    void a1111sTextStaysAsItIsAndTheLaterPlaceCountsMore() {
        String text = "a cat\nSteps: 20, Sampler: Euler a, CFG scale: 7, Version: v1.10.1";
        PictureParameters read = of(Map.of("parameters", "old", "UserComment", text, "comment", "made with a camera"));
        assertThat(read.infoText()).isEqualTo(text);
        assertThat(read.program()).isEqualTo("AUTOMATIC1111's web UI v1.10.1");
        assertThat(of(Map.of("parameters", "a prompt alone")).infoText()).isEqualTo("a prompt alone");
        assertThat(PictureParameters.of(Map.of("comment", "made with a camera"), 8, 8)).isEmpty();
        assertThat(PictureParameters.of(Map.of(), 8, 8)).isEmpty();
    }

    /** The conversion of A1111's modules/images.py, read_info_from_image. */
    @Test
    void novelAisCommentIsConvertedAsA1111Does() {
        PictureParameters read = of(Map.of(
                "Software", "NovelAI", "Title", "AI generated image", "Description", "masterpiece, {cat}", "Source", "Stable Diffusion 1D44365E",
                "Comment", "{\"steps\": 28, \"sampler\": \"k_euler_ancestral\", \"seed\": 3, \"strength\": 0.69, \"noise\": 0.667,"
                        + " \"scale\": 11.0, \"uc\": \"lowres\"}"));
        assertThat(read.infoText()).isEqualTo("masterpiece, {cat}\nNegative prompt: lowres\n"
                + "Steps: 28, Sampler: Euler a, CFG scale: 11.0, Seed: 3, Size: 512x768, Clip skip: 2, ENSD: 31337");
        assertThat(read.notUnderstood()).containsExactly("model Stable Diffusion 1D44365E");
        assertThat(of(Map.of("Software", "NovelAI", "Description", "x", "Comment", "{\"sampler\": \"nai_smea\"}")).infoText())
                .as("an unknown sampler").contains("Sampler: Euler a");
    }

    @Test
    void novelAisNewerCommentAndTheOneInItsPixelsSayTheSame() {
        String comment = "{\"prompt\":\"p\",\"steps\":23,\"scale\":5.0,\"cfg_rescale\":0.2,\"seed\":4,\"uc\":\"u\",\"sampler\":\"k_dpmpp_2m\","
                + "\"noise_schedule\":\"karras\",\"sm\":false,\"v4_prompt\":{\"caption\":{\"base_caption\":\"p\",\"char_captions\":"
                + "[{\"char_caption\":\"girl\"}]}}}";
        PictureParameters read = of(Map.of("Software", "NovelAI", "Comment", comment));
        assertThat(read.infoText()).isEqualTo("p\nNegative prompt: u\nSteps: 23, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 5.0, Seed: 4,"
                + " Size: 512x768, Clip skip: 2, ENSD: 31337");
        assertThat(read.notUnderstood()).containsExactly("cfg_rescale: 0.2", "character: girl");
        String hidden = "{\"Software\":\"NovelAI\",\"Comment\":\"" + comment.replace("\"", "\\\"") + "\"}";
        assertThat(of(Map.of("stealth", hidden))).isEqualTo(read);
    }

    private static final String GRAPH = """
            {"3": {"class_type": "KSampler", "inputs": {"seed": 156680208700286, "steps": 25, "cfg": 8, "sampler_name": "dpmpp_2s_ancestral",
               "scheduler": "karras", "denoise": 1, "model": ["11", 0], "positive": ["12", 0], "negative": ["7", 0], "latent_image": ["5", 0]}},
             "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "sub\\\\v1-5.safetensors"}},
             "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 640, "height": 512, "batch_size": 1}},
             "6": {"class_type": "CLIPTextEncode", "inputs": {"text": ["13", 0], "clip": ["14", 0]}, "is_changed": [NaN]},
             "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "text, watermark", "clip": ["14", 0]}},
             "10": {"class_type": "LoraLoader", "inputs": {"lora_name": "a.safetensors", "strength_model": 0.8, "strength_clip": 0.8,
               "model": ["4", 0], "clip": ["4", 1]}},
             "11": {"class_type": "LoraLoader", "inputs": {"lora_name": "b.safetensors", "strength_model": 1, "strength_clip": 0.5,
               "model": ["10", 0], "clip": ["10", 1]}},
             "12": {"class_type": "ControlNetApply", "inputs": {"conditioning": ["6", 0], "strength": 1}},
             "13": {"class_type": "PrimitiveString", "inputs": {"value": "beautiful scenery"}},
             "14": {"class_type": "CLIPSetLastLayer", "inputs": {"stop_at_clip_layer": -2, "clip": ["11", 1]}},
             "15": {"class_type": "KSampler", "inputs": {"seed": 1, "steps": 9, "latent_image": ["16", 0]}},
             "16": {"class_type": "LatentUpscale", "inputs": {"samples": ["3", 0]}}}
            """;

    @Test
    void comfyUisGraphIsFollowedFromItsFirstSampler() {
        PictureParameters read = of(Map.of("prompt", GRAPH, "workflow", "{}"));
        assertThat(read.program()).isEqualTo("ComfyUI");
        assertThat(read.infoText()).isEqualTo("beautiful scenery <lora:a:0.8><lora:b:0.5:1>\nNegative prompt: text, watermark\n"
                + "Steps: 25, Sampler: DPM++ 2S a, Schedule type: Karras, CFG scale: 8, Seed: 156680208700286, Size: 640x512, Model: v1-5,"
                + " Clip skip: 2, RNG: CPU");
        assertThat(read.notUnderstood()).containsExactly("another sampler, node 15", "node ControlNetApply", "node PrimitiveString", "node LatentUpscale");
        assertThat(of(Map.of("Model", "prompt:" + GRAPH))).as("in a WebP's EXIF").isEqualTo(read);
    }

    @Test
    void invokeAisAndFooocusFieldsAreTaken() {
        PictureParameters invoke = of(Map.of("invokeai_metadata", """
                {"app_version": "3.4", "generation_mode": "txt2img", "positive_prompt": "a cat", "negative_prompt": "dog", "width": 512, "height": 640,
                 "seed": 7, "cfg_scale": 7.5, "steps": 30, "scheduler": "dpmpp_2m_k", "model": {"model_name": "sd-1"}, "clip_skip": 1,
                 "rand_device": "cpu", "loras": [{"lora": {"model_name": "x"}, "weight": 0.75}], "controlnets": [], "vae": {"model_name": "v"}}
                """));
        assertThat(invoke.infoText()).isEqualTo("a cat <lora:x:0.75>\nNegative prompt: dog\nSteps: 30, Sampler: DPM++ 2M, Schedule type: Karras,"
                + " CFG scale: 7.5, Seed: 7, Size: 512x640, Model: sd-1, Clip skip: 2, RNG: CPU");
        assertThat(invoke.notUnderstood()).containsExactly("vae: {\"model_name\":\"v\"}");
        PictureParameters fooocus = of(Map.of("fooocus_scheme", "fooocus", "parameters", """
                {"prompt": "a cat", "negative_prompt": "", "steps": 30, "resolution": "(896, 1152)", "guidance_scale": 4, "sharpness": 2.0,
                 "base_model": "jugger", "base_model_hash": "aeb7e9e689", "sampler": "dpmpp_2m_sde_gpu", "scheduler": "karras", "seed": "12",
                 "loras": [["off.safetensors", 0.1, "abc"]], "version": "Fooocus v2.4"}
                """));
        assertThat(fooocus.program()).isEqualTo("Fooocus v2.4");
        assertThat(fooocus.infoText()).isEqualTo("a cat <lora:off:0.1>\nSteps: 30, Sampler: DPM++ 2M SDE, Schedule type: Karras, CFG scale: 4,"
                + " Seed: 12, Size: 896x1152, Model hash: aeb7e9e689, Model: jugger");
        assertThat(fooocus.notUnderstood()).containsExactly("sharpness: 2.0");
    }

    @Test
    void deepLongAndEndlessGraphsAreNoParameters() {
        assertThat(PictureParameters.of(Map.of("prompt", "{\"a\":".repeat(5000)), 8, 8)).isEmpty();
        assertThat(PictureParameters.of(Map.of("prompt", "{\"a\":\"" + "x".repeat(9 << 20) + "\"}"), 8, 8)).isEmpty();
        assertThat(PictureParameters.of(Map.of("prompt", "{}"), 8, 8)).isEmpty();
        PictureParameters circle = of(Map.of("prompt", """
                {"1": {"class_type": "KSampler", "inputs": {"model": ["1", 0], "positive": ["2", 0], "latent_image": ["2", 0]}},
                 "2": {"class_type": "X", "inputs": {"conditioning": ["2", 0], "samples": ["2", 0], "text": ["2", 0]}}}
                """));
        assertThat(circle.notUnderstood()).contains("node X");
    }

    @Test
    void damagedTextsGiveSomethingOrNothingButNeverFail() {
        long seed = 11;
        Random random = new Random(seed);
        for (int i = 0; i < 3000; i++) {
            StringBuilder bad = new StringBuilder(GRAPH);
            for (int k = random.nextInt(4); k >= 0; k--) {
                bad.setCharAt(random.nextInt(bad.length()), (char) (32 + random.nextInt(96)));
            }
            assertThat(PictureParameters.of(Map.of("prompt", bad.toString()), 8, 8)).as("seed %s case %s", seed, i).isNotNull();
        }
    }
}
