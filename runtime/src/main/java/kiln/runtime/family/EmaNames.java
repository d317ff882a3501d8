package kiln.runtime.family;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import kiln.runtime.model.UNet;
import kiln.weights.TensorInfo;

/**
 * The averaged weights that training leaves beside the last ones, whose names have lost their dots:
 * {@code model_ema.diffusion_modelinput_blocks11in_layers0weight}.
 */
final class EmaNames {
    private static final String PREFIX = "model_ema.diffusion_model";

    /** Words that stand between dots; a word that another one begins with comes after it. */
    private static final Pattern PIECE = Pattern.compile(
            "input_blocks|output_blocks|middle_block|time_embed|label_emb|in_layers|emb_layers|out_layers|skip_connection|transformer_blocks|proj_in"
                    + "|proj_out|proj|attn[12]|to_q|to_k|to_v|to_out|norm[1-3]?|ff|net|op|conv|out|weight|bias|(\\d{1,5})");

    private EmaNames() {}

    static boolean isHere(Collection<TensorInfo> tensors) {
        return tensors.stream().anyMatch(tensor -> tensor.name().startsWith(PREFIX));
    }

    /** The denoiser's averaged tensors by the names of those that they average; what cannot be told is left out. */
    static Map<String, TensorInfo> unet(Collection<TensorInfo> tensors) {
        Map<String, TensorInfo> named = new LinkedHashMap<>();
        for (TensorInfo tensor : tensors) {
            String dotted = tensor.name().startsWith(PREFIX) ? dotted(tensor.name().substring(PREFIX.length())) : null;
            if (dotted != null) {
                named.put(UNet.PREFIX + dotted, tensor);
            }
        }
        return named;
    }

    /** {@code null} where the name is none of a denoiser. */
    private static String dotted(String name) {
        List<String> pieces = new ArrayList<>();
        Matcher matcher = PIECE.matcher(name);
        int end = 0;
        while (end < name.length() && matcher.region(end, name.length()).lookingAt()) {
            end = matcher.end();
            String digits = matcher.group(1);
            boolean twoNumbers = digits != null && digits.length() > 1 && pieces.size() == 1;
            // A block's number, and the one digit of the layer in it.
            pieces.add(twoNumbers ? digits.substring(0, digits.length() - 1) + "." + digits.charAt(digits.length() - 1) : matcher.group());
        }
        return end < name.length() ? null : pieces.stream().collect(Collectors.joining("."));
    }
}
