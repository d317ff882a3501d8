package kiln.runtime.addon;

import java.util.Map;
import java.util.Optional;
import kiln.weights.TensorInfo;

/** Which family of models a {@link LoraFile} was trained for, by its metadata, else by the width of the text that its modules read. */
public final class LoraBase {
    private static final Map<Long, String> BY_WIDTH = Map.of(768L, "SD 1.x", 1024L, "SD 2.x", 2048L, "SDXL");

    private LoraBase() {}

    /** For people: "SD 1.x", "SDXL"; empty when nothing tells. */
    public static Optional<String> of(LoraFile file) {
        Map<String, String> metadata = file.metadata();
        String version = metadata.getOrDefault("ss_base_model_version", "");
        String architecture = metadata.getOrDefault("modelspec.architecture", "");
        if (version.startsWith("sdxl_") || architecture.startsWith("stable-diffusion-xl")) {
            return Optional.of("SDXL");
        }
        if ("True".equals(metadata.get("ss_v2")) || architecture.startsWith("stable-diffusion-v2")) {
            return Optional.of("SD 2.x");
        }
        if (version.startsWith("sd_v1") || architecture.startsWith("stable-diffusion-v1")) {
            return Optional.of("SD 1.x");
        }
        return byWidth(file);
    }

    private static Optional<String> byWidth(LoraFile file) {
        for (LoraFile.Module module : file.modules().values()) {
            TensorInfo down = module.parts().get(LoraPart.DOWN);
            if (module.name().endsWith("attn2_to_k") && down != null && down.rank() > 1) {
                return Optional.ofNullable(BY_WIDTH.get(down.size(1)));
            }
        }
        return file.modules().keySet().stream().anyMatch(name -> name.startsWith("lora_te2_")) ? Optional.of("SDXL") : Optional.empty();
    }
}
