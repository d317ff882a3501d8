package kiln.weights;

import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * What a weights file is, judged by its tensors' names and shapes alone, in the order in which the stable-diffusion-webui tests
 * them. Nothing is said about whether it is complete.
 */
public enum CheckpointKind {
    SD1("SD 1.x"),
    SD1_INPAINTING("SD 1.x inpainting"),
    SD1_INSTRUCT("SD 1.x instruct-pix2pix"),
    SD2("SD 2.x"),
    SD2_INPAINTING("SD 2.x inpainting"),
    SD2_DEPTH("SD 2.x depth"),
    SD2_UNCLIP("SD 2.x unCLIP"),
    SDXL("SDXL"),
    SDXL_INPAINTING("SDXL inpainting"),
    SDXL_REFINER("SDXL refiner"),
    SD3("SD 3"),
    ALT_DIFFUSION("AltDiffusion"),
    VAE("VAE"),
    LORA("LoRA"),
    TEXTUAL_INVERSION("textual inversion"),
    HYPERNETWORK("hypernetwork"),
    UPSCALER("upscaler"),
    UNKNOWN("unknown");

    private static final String UNET_INPUT = "model.diffusion_model.input_blocks.0.0.weight";
    private static final String OPEN_CLIP_ATTENTION = "cond_stage_model.model.transformer.resblocks.0.attn.in_proj_weight";

    /** The part of a UNet that reads the text: its input width tells the family where the text encoder is not in the file. */
    private static final Pattern TEXT_ATTENTION =
            Pattern.compile("model\\.diffusion_model\\..*\\.attn2\\.to_k\\.weight");

    private static final Pattern ADAPTER_PART = Pattern.compile(
            ".*\\.(lora_(up|down|mid)\\.weight|lora_[AB]\\.weight|lora\\.(up|down)\\.weight|hada_w[12](_[ab])?|lokr_w[12](_[ab])?"
                    + "|oft_(blocks|diag)|diff|diff_b|w_norm|b_norm|on_input|[ab][12]\\.weight)");
    private static final Pattern HYPERNETWORK_PART =
            Pattern.compile("(320|640|768|1024|1280|2048)\\.[01]\\.linear\\d*\\.(\\d+\\.)?(weight|bias)");

    /** The first layers of the ESRGAN family, by all their names, and of Real-ESRGAN's compact networks. */
    private static final Pattern UPSCALER_PART = Pattern.compile(
            "(params_ema\\.|params\\.)?"
                    + "(model\\.1\\.sub\\.0\\.RDB1\\.conv1\\.0|RRDB_trunk\\.0\\.RDB1\\.conv1|body\\.0\\.rdb1\\.conv1)\\.weight");
    private static final Pattern COMPACT_UPSCALER_SLOPES = Pattern.compile("(params_ema\\.|params\\.)?body\\.1\\.weight");

    /** Widths of the text encoders' token vectors: CLIP-L, OpenCLIP-H, OpenCLIP-bigG. */
    private static final Set<Long> EMBEDDING_WIDTHS = Set.of(768L, 1024L, 1280L);

    private final String displayName;

    CheckpointKind(String displayName) {
        this.displayName = displayName;
    }

    /** The name for people, for instance {@code SD 1.x inpainting}. */
    public String displayName() {
        return displayName;
    }

    /** Whether it makes pictures by itself, as opposed to changing or completing a model that does. */
    public boolean isModel() {
        return ordinal() <= ALT_DIFFUSION.ordinal();
    }

    /** Judges an open file; reads no elements. */
    public static CheckpointKind of(WeightsFile file) {
        return of(file.tensors());
    }

    /** Judges by names and shapes. */
    public static CheckpointKind of(Collection<TensorInfo> tensors) {
        Map<String, TensorInfo> byName = new HashMap<>();
        tensors.forEach(tensor -> byName.put(tensor.name(), tensor));
        if (byName.containsKey("model.diffusion_model.x_embedder.proj.weight")) {
            return SD3;
        }
        if (byName.containsKey(UNET_INPUT)) {
            return ofModel(byName);
        }
        return ofPart(byName);
    }

    private static CheckpointKind ofModel(Map<String, TensorInfo> tensors) {
        long inputChannels = size(tensors, UNET_INPUT, 1);
        // SD2-turbo bears the refiner's name of a text encoder, but of half the width.
        boolean sd2Turbo = size(tensors, "conditioner.embedders.0.model.ln_final.weight", 0) == 1024;
        if (tensors.containsKey("conditioner.embedders.1.model.ln_final.weight")) {
            return inputChannels == 9 ? SDXL_INPAINTING : SDXL;
        }
        if (tensors.containsKey("conditioner.embedders.0.model.ln_final.weight") && !sd2Turbo) {
            return SDXL_REFINER;
        }
        if (tensors.containsKey("depth_model.model.pretrained.act_postprocess3.0.project.0.bias")) {
            return SD2_DEPTH;
        }
        if (tensors.containsKey("embedder.model.ln_final.weight")) {
            return SD2_UNCLIP;
        }
        if (sd2Turbo || size(tensors, OPEN_CLIP_ATTENTION, 1) == 1024) {
            return inputChannels == 9 ? SD2_INPAINTING : SD2;
        }
        if (tensors.containsKey("cond_stage_model.roberta.embeddings.word_embeddings.weight")) {
            return ALT_DIFFUSION;
        }
        boolean hasTextEncoder = tensors.keySet().stream()
                .anyMatch(name -> name.startsWith("cond_stage_model.") || name.startsWith("conditioner."));
        if (!hasTextEncoder) {
            long textWidth = textWidth(tensors);
            if (textWidth == 2048) {
                return inputChannels == 9 ? SDXL_INPAINTING : SDXL;
            }
            if (textWidth == 1024) {
                return inputChannels == 9 ? SD2_INPAINTING : SD2;
            }
        }
        if (inputChannels == 9) {
            return SD1_INPAINTING;
        }
        return inputChannels == 8 ? SD1_INSTRUCT : SD1;
    }

    private static long textWidth(Map<String, TensorInfo> tensors) {
        return tensors.values().stream()
                .filter(tensor -> tensor.rank() == 2 && TEXT_ATTENTION.matcher(tensor.name()).matches())
                .mapToLong(tensor -> tensor.size(1))
                .findFirst().orElse(0);
    }

    private static CheckpointKind ofPart(Map<String, TensorInfo> tensors) {
        if (tensors.keySet().stream().anyMatch(name -> ADAPTER_PART.matcher(name).matches())) {
            return LORA;
        }
        boolean vae = tensors.containsKey("decoder.conv_in.weight") || tensors.containsKey("first_stage_model.decoder.conv_in.weight");
        if (vae) {
            return VAE;
        }
        if (tensors.keySet().stream().anyMatch(name -> HYPERNETWORK_PART.matcher(name).matches())) {
            return HYPERNETWORK;
        }
        boolean upscaler = tensors.values().stream().anyMatch(tensor -> UPSCALER_PART.matcher(tensor.name()).matches()
                || tensor.rank() == 1 && COMPACT_UPSCALER_SLOPES.matcher(tensor.name()).matches());
        if (upscaler) {
            return UPSCALER;
        }
        boolean embedding = tensors.keySet().stream().anyMatch(name -> name.startsWith("string_to_param."))
                || tensors.keySet().equals(Set.of("clip_l", "clip_g"))
                || tensors.size() == 1 && isEmbedding(tensors.values().iterator().next());
        return embedding ? TEXTUAL_INVERSION : UNKNOWN;
    }

    private static boolean isEmbedding(TensorInfo tensor) {
        return tensor.rank() >= 1 && tensor.rank() <= 2 && EMBEDDING_WIDTHS.contains(tensor.size(tensor.rank() - 1));
    }

    /** A size of a tensor; 0 when there is no such tensor or dimension. */
    private static long size(Map<String, TensorInfo> tensors, String name, int dimension) {
        TensorInfo tensor = tensors.get(name);
        return tensor == null || tensor.rank() <= dimension ? 0 : tensor.size(dimension);
    }
}
