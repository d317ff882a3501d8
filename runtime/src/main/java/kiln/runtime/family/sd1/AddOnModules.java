package kiln.runtime.family.sd1;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import kiln.runtime.model.ClipText;
import kiln.runtime.model.UNet;

/**
 * What files that are added to a model call its modules: kohya's scripts, LyCORIS, PEFT and diffusers by diffusers' names, others by those of the
 * original code. Every sign but letters and digits is {@code _}.
 */
final class AddOnModules {
    private static final List<String> DENOISER = List.of("lora_unet_", "oft_unet_", "unet_", "diffusion_model_", "model_diffusion_model_", "lycoris_", "");
    private static final List<String> TEXT =
            List.of("lora_te_", "lora_te1_", "oft_te_", "te_", "te1_", "text_encoder_", "cond_stage_model_transformer_", "transformer_");

    private static final Pattern BLOCK = Pattern.compile("(input_blocks|middle_block|output_blocks)\\.(\\d{1,4})\\.(?:(\\d)\\.)?(.*)");
    private static final Map<String, String> RESNET = Map.of(
            "in_layers.0", "norm1",
            "in_layers.2", "conv1",
            "emb_layers.1", "time_emb_proj",
            "out_layers.0", "norm2",
            "out_layers.3", "conv2",
            "skip_connection", "conv_shortcut");
    private static final Map<String, String> AROUND = Map.of(
            "input_blocks.0.0", "conv_in",
            "time_embed.0", "time_embedding.linear_1",
            "time_embed.2", "time_embedding.linear_2",
            "out.0", "conv_norm_out",
            "out.2", "conv_out");

    private AddOnModules() {}

    /** From such a name to the module's name in the original code. @param tensors their original names */
    static Map<String, String> of(Collection<String> tensors) {
        TreeSet<String> modules = new TreeSet<>();
        tensors.forEach(tensor -> modules.add(tensor.substring(0, Math.max(0, tensor.lastIndexOf('.')))));
        int period = period(modules);
        Map<String, String> names = new TreeMap<>();
        for (String module : modules) {
            if (module.startsWith(UNet.PREFIX)) {
                String original = module.substring(UNet.PREFIX.length());
                String diffusers = diffusers(original, period);
                DENOISER.forEach(prefix -> names.put(prefix + plain(original), module));
                DENOISER.forEach(prefix -> names.put(prefix + plain(diffusers), module));
                if (diffusers.endsWith(".to_out.0")) {
                    // Old files of diffusers.
                    String older = diffusers.substring(0, diffusers.length() - ".0".length());
                    DENOISER.forEach(prefix -> names.put(prefix + plain(older), module));
                }
            } else if (module.startsWith(ClipText.PREFIX)) {
                String inside = plain("text_model." + module.substring(ClipText.PREFIX.length()));
                TEXT.forEach(prefix -> names.put(prefix + inside, module));
            }
        }
        return names;
    }

    private static String plain(String name) {
        return name.replaceAll("[^A-Za-z0-9]", "_");
    }

    /** Blocks of a level, with the one that makes it smaller. */
    private static int period(Collection<String> modules) {
        return modules.stream()
                .filter(module -> module.startsWith(UNet.PREFIX + "input_blocks.") && module.endsWith(".0.op"))
                .mapToInt(module -> Integer.parseInt(module.substring((UNet.PREFIX + "input_blocks.").length(), module.length() - ".0.op".length())))
                .min()
                .orElse(3);
    }

    private static String diffusers(String original, int period) {
        Matcher block = BLOCK.matcher(original);
        if (AROUND.containsKey(original) || !block.matches()) {
            return AROUND.getOrDefault(original, original);
        }
        int number = Integer.parseInt(block.group(2));
        String rest = block.group(4);
        return switch (block.group(1)) {
            case "middle_block" -> "mid_block." + (number == 1
                    ? "attentions.0." + original.substring("middle_block.1.".length())
                    : "resnets." + number / 2 + "." + resnet(original.substring("middle_block.0.".length())));
            case "input_blocks" -> {
                String level = "down_blocks." + (number - 1) / period + ".";
                yield rest.equals("op") ? level + "downsamplers.0.conv" : level + part(block.group(3), rest, (number - 1) % period);
            }
            default -> {
                String level = "up_blocks." + number / period + ".";
                yield rest.equals("conv") ? level + "upsamplers.0.conv" : level + part(block.group(3), rest, number % period);
            }
        };
    }

    private static String part(String kind, String rest, int number) {
        return "0".equals(kind) ? "resnets." + number + "." + resnet(rest) : "attentions." + number + "." + rest;
    }

    private static String resnet(String part) {
        return RESNET.getOrDefault(part, part);
    }
}
