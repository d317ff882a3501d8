package kiln.runtime.family;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import kiln.runtime.model.Autoencoder;
import kiln.runtime.model.UNet;
import kiln.weights.TensorInfo;

/**
 * What the diffusers library calls the tensors of a denoiser and an autoencoder, and their names in the original code, which numbers the blocks
 * of all levels in one row. A name that the library does not use stays as it is.
 */
final class DiffusersNames {
    private static final Pattern BLOCK = Pattern.compile(
            "(down|up)_blocks\\.(\\d{1,4})\\.(resnets|attentions|downsamplers|upsamplers)\\.(\\d{1,4})\\.(.+)");
    private static final Pattern MIDDLE = Pattern.compile("mid_block\\.(resnets|attentions)\\.(\\d{1,4})\\.(.+)");
    private static final String DECODER = "decoder.";

    private static final Map<String, String> UNET_ENDS = Map.of(
            "conv_in.", "input_blocks.0.0.",
            "time_embedding.linear_1.", "time_embed.0.",
            "time_embedding.linear_2.", "time_embed.2.",
            "add_embedding.linear_1.", "label_emb.0.0.",
            "add_embedding.linear_2.", "label_emb.0.2.",
            "conv_norm_out.", "out.0.",
            "conv_out.", "out.2.");
    private static final Map<String, String> UNET_RESIDUAL = Map.of(
            "norm1.", "in_layers.0.",
            "conv1.", "in_layers.2.",
            "time_emb_proj.", "emb_layers.1.",
            "norm2.", "out_layers.0.",
            "conv2.", "out_layers.3.",
            "conv_shortcut.", "skip_connection.");
    private static final Map<String, String> VAE_RESIDUAL = Map.of("conv_shortcut.", "nin_shortcut.");

    /** Newer and older names. */
    private static final Map<String, String> VAE_ATTENTION = Map.of(
            "group_norm.", "norm.",
            "to_q.", "q.",
            "to_k.", "k.",
            "to_v.", "v.",
            "to_out.0.", "proj_out.",
            "query.", "q.",
            "key.", "k.",
            "value.", "v.",
            "proj_attn.", "proj_out.");

    private DiffusersNames() {}

    /** Whether these are an autoencoder's tensors under the library's names. */
    static boolean isAutoencoder(Collection<TensorInfo> tensors) {
        return tensors.stream().anyMatch(tensor -> tensor.name().startsWith("decoder.up_blocks.") || tensor.name().startsWith("decoder.mid_block."));
    }

    /** The denoiser's tensors by their names in the original code. */
    static Map<String, TensorInfo> unet(Collection<TensorInfo> tensors) {
        Levels down = Levels.of(tensors, "", "down");
        Levels up = Levels.of(tensors, "", "up");
        Map<String, TensorInfo> named = new LinkedHashMap<>();
        tensors.forEach(tensor -> named.put(UNet.PREFIX + unetName(tensor.name(), down, up), tensor));
        return named;
    }

    private static String unetName(String name, Levels down, Levels up) {
        Matcher block = BLOCK.matcher(name);
        if (block.matches()) {
            boolean isDown = block.group(1).equals("down");
            Levels levels = isDown ? down : up;
            int level = Integer.parseInt(block.group(2));
            int index = Integer.parseInt(block.group(4));
            // The first of the original's blocks on the way down is conv_in.
            int first = levels.before(level) + (isDown ? 1 : 0);
            String part = isDown ? "input_blocks." : "output_blocks.";
            String rest = block.group(5);
            return switch (block.group(3)) {
                case "resnets" -> part + (first + index) + ".0." + replaced(rest, UNET_RESIDUAL);
                case "attentions" -> part + (first + index) + ".1." + rest;
                case "downsamplers" -> part + (first + levels.residuals(level)) + ".0." + rest.replaceFirst("^conv\\.", "op.");
                default -> part + (first + levels.residuals(level) - 1) + (levels.attends(level) ? ".2." : ".1.") + rest;
            };
        }
        Matcher middle = MIDDLE.matcher(name);
        if (middle.matches()) {
            int index = 2 * Integer.parseInt(middle.group(2));
            return middle.group(1).equals("resnets")
                    ? "middle_block." + index + "." + replaced(middle.group(3), UNET_RESIDUAL)
                    : "middle_block." + (index + 1) + "." + middle.group(3);
        }
        return replaced(name, UNET_ENDS);
    }

    /** The autoencoder's tensors by their names in the original code. */
    static Map<String, TensorInfo> autoencoder(Collection<TensorInfo> tensors) {
        int levels = Levels.of(tensors, DECODER, "up").count();
        Map<String, TensorInfo> named = new LinkedHashMap<>();
        tensors.forEach(tensor -> named.put(Autoencoder.PREFIX + autoencoderName(tensor.name(), levels), tensor));
        return named;
    }

    private static String autoencoderName(String name, int levels) {
        int dot = name.indexOf('.') + 1;
        String part = name.substring(0, dot);
        String rest = name.substring(dot);
        Matcher block = BLOCK.matcher(rest);
        if (block.matches()) {
            boolean isDown = block.group(1).equals("down");
            int level = Integer.parseInt(block.group(2));
            // The original counts the decoder's levels from the largest picture on.
            String prefix = part + (isDown ? "down." + level : "up." + (levels - 1 - level)) + ".";
            return switch (block.group(3)) {
                case "resnets" -> prefix + "block." + block.group(4) + "." + replaced(block.group(5), VAE_RESIDUAL);
                case "downsamplers" -> prefix + "downsample." + block.group(5);
                case "upsamplers" -> prefix + "upsample." + block.group(5);
                default -> name;
            };
        }
        Matcher middle = MIDDLE.matcher(rest);
        if (middle.matches()) {
            int index = Integer.parseInt(middle.group(2)) + 1;
            return middle.group(1).equals("resnets")
                    ? part + "mid.block_" + index + "." + replaced(middle.group(3), VAE_RESIDUAL)
                    : part + "mid.attn_" + index + "." + replaced(middle.group(3), VAE_ATTENTION);
        }
        return rest.startsWith("conv_norm_out.") ? part + "norm_out." + rest.substring("conv_norm_out.".length()) : name;
    }

    /** The name with the beginning that the table has for its own. */
    private static String replaced(String name, Map<String, String> beginnings) {
        for (Map.Entry<String, String> beginning : beginnings.entrySet()) {
            if (name.startsWith(beginning.getKey())) {
                return beginning.getValue() + name.substring(beginning.getKey().length());
            }
        }
        return name;
    }

    /** How many blocks the levels of one way have, which the original counts through. */
    private record Levels(Map<Integer, Integer> residualsByLevel, Map<Integer, Boolean> attention, Map<Integer, Boolean> downsamplers) {
        static Levels of(Collection<TensorInfo> tensors, String prefix, String way) {
            Levels levels = new Levels(new LinkedHashMap<>(), new LinkedHashMap<>(), new LinkedHashMap<>());
            for (TensorInfo tensor : tensors) {
                Matcher block = BLOCK.matcher(tensor.name().startsWith(prefix) ? tensor.name().substring(prefix.length()) : "");
                if (block.matches() && block.group(1).equals(way)) {
                    int level = Integer.parseInt(block.group(2));
                    switch (block.group(3)) {
                        case "resnets" -> levels.residualsByLevel.merge(level, Integer.parseInt(block.group(4)) + 1, Math::max);
                        case "attentions" -> levels.attention.put(level, true);
                        case "downsamplers" -> levels.downsamplers.put(level, true);
                        default -> { }
                    }
                }
            }
            return levels;
        }

        int count() {
            return residualsByLevel.size();
        }

        int residuals(int level) {
            return residualsByLevel.getOrDefault(level, 0);
        }

        boolean attends(int level) {
            return attention.containsKey(level);
        }

        /** Blocks of the original in the levels before this one. */
        int before(int level) {
            int blocks = 0;
            for (int earlier = 0; earlier < level; earlier++) {
                blocks += residuals(earlier) + (downsamplers.containsKey(earlier) ? 1 : 0);
            }
            return blocks;
        }
    }
}
