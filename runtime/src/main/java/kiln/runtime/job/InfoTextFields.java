package kiln.runtime.job;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import kiln.runtime.text.PromptParser;

/**
 * A text's parameters as A1111 understands them: sizes in two, what is missing filled in, what older versions wrote in today's words, and what
 * a picture of an older version needs to be drawn as it was.
 */
public final class InfoTextFields {
    private static final Pattern SIZE = Pattern.compile("(\\d{1,9})x(\\d{1,9})");
    private static final int FIRST_PASS_SIDE = 512;
    private static final int FIRST_PASS_MULTIPLE = 64;
    private static final Pattern ADDED_NETWORK = Pattern.compile("(.+)\\([0-9a-fA-F]+\\)");

    private InfoTextFields() {}

    /** The prompts are under "Prompt" and "Negative prompt"; a size under "Size-1" and "Size-2". */
    public static Map<String, String> of(InfoText text) {
        Map<String, String> fields = new LinkedHashMap<>();
        text.parameters().forEach((key, value) -> {
            Matcher size = SIZE.matcher(value);
            if (size.matches()) {
                fields.put(key + "-1", size.group(1));
                fields.put(key + "-2", size.group(2));
            } else {
                fields.put(key, value);
            }
        });
        String prompt = text.prompt();
        if (fields.containsKey("Hypernet")) {
            prompt += "<hypernet:" + fields.get("Hypernet") + ":" + fields.getOrDefault("Hypernet strength", "1.0") + ">";
        }
        prompt = withAddedNetworks(prompt, fields);
        fields.put("Prompt", prompt);
        fields.put("Negative prompt", text.negativePrompt());
        fields.putIfAbsent("Clip skip", "1");
        firstPass(fields);
        for (String[] usual : new String[][] {
            {"Hires resize-1", "0"}, {"Hires resize-2", "0"}, {"Hires sampler", "Use same sampler"},
            {"Hires schedule type", "Use same scheduler"}, {"Hires checkpoint", "Use same checkpoint"}, {"Hires prompt", ""},
            {"Hires negative prompt", ""}, {"Mask mode", "Inpaint masked"}, {"Masked content", "original"}, {"Inpaint area", "Whole picture"},
            {"Masked area padding", "32"}, {"RNG", "GPU"}, {"Schedule type", "Automatic"}, {"Schedule max sigma", "0"},
            {"Schedule min sigma", "0"}, {"Schedule rho", "0"}, {"VAE Encoder", "Full"}, {"VAE Decoder", "Full"}, {"FP8 weight", "Disable"},
            {"Refiner switch by sampling steps", "false"},
        }) {
            fields.putIfAbsent(usual[0], usual[1]);
        }
        if (usesEmphasis(prompt) || usesEmphasis(text.negativePrompt())) {
            fields.putIfAbsent("Emphasis", "Original");
        }
        forItsVersion(fields);
        return fields;
    }

    /** Whether brackets do something: then the emphasis mode matters. */
    static boolean usesEmphasis(String prompt) {
        return PromptParser.attention(prompt).stream().anyMatch(piece -> piece.weight() != 1 && !piece.text().equals("BREAK"));
    }

    /** Before 2023 "Size" was the final size, and the first pass's stood beside it; 0x0 meant some 512x512 pixels. */
    private static void firstPass(Map<String, String> fields) {
        if (!fields.containsKey("First pass size-1") || fields.containsKey("Hires upscale") || fields.containsKey("Hires resize-1")) {
            return;
        }
        String width = fields.getOrDefault("Size-1", "512");
        String height = fields.getOrDefault("Size-2", "512");
        long firstWidth = Long.parseLong(fields.get("First pass size-1"));
        long firstHeight = Long.parseLong(fields.get("First pass size-2"));
        if (firstWidth == 0 || firstHeight == 0) {
            double pixels = (double) Long.parseLong(width) * Long.parseLong(height);
            double scale = Math.sqrt(FIRST_PASS_SIDE * FIRST_PASS_SIDE / Math.max(1, pixels));
            firstWidth = (long) Math.ceil(scale * Long.parseLong(width) / FIRST_PASS_MULTIPLE) * FIRST_PASS_MULTIPLE;
            firstHeight = (long) Math.ceil(scale * Long.parseLong(height) / FIRST_PASS_MULTIPLE) * FIRST_PASS_MULTIPLE;
        }
        fields.put("Size-1", Long.toString(firstWidth));
        fields.put("Size-2", Long.toString(firstHeight));
        fields.put("Hires resize-1", width);
        fields.put("Hires resize-2", height);
    }

    /** What the extension "Additional Networks" wrote becomes tags. */
    private static String withAddedNetworks(String prompt, Map<String, String> fields) {
        StringBuilder tagged = new StringBuilder(prompt);
        for (int i = 1; fields.containsKey("AddNet Model " + i); i++) {
            Matcher model = ADDED_NETWORK.matcher(fields.get("AddNet Model " + i));
            if ("LoRA".equals(fields.get("AddNet Module " + i)) && model.matches()) {
                String weight = fields.getOrDefault("AddNet Weight A " + i, fields.getOrDefault("AddNet Weight " + i, "1"));
                tagged.append("<lora:").append(model.group(1)).append(':').append(weight).append('>');
            }
        }
        return tagged.toString();
    }

    private static void forItsVersion(Map<String, String> fields) {
        WebUiVersion.find(fields.getOrDefault("Version", "")).ifPresent(version -> {
            boolean before16 = version.isBefore(new WebUiVersion(1, 6, 0, 0));
            if (before16 && fields.get("Prompt").contains("[")) {
                fields.put("Old prompt editing timelines", "true");
            }
            String sampler = fields.getOrDefault("Sampler", "");
            if (before16 && (sampler.equals("DDIM") || sampler.equals("PLMS"))) {
                fields.put("Pad conds v0", "true");
            }
            if (version.isBefore(new WebUiVersion(1, 7, 0, 225))) {
                fields.put("Downcast alphas_cumprod", "true");
            }
            if (version.isBefore(new WebUiVersion(1, 8, 0, 0)) && !fields.getOrDefault("Refiner", "").isEmpty()) {
                fields.put("Refiner switch by sampling steps", "true");
            }
        });
    }
}
