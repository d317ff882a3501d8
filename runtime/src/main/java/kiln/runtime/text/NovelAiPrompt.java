package kiln.runtime.text;

import java.util.ArrayList;
import java.util.List;

/**
 * NovelAI's way to write prompts, in A1111's grammar: there {@code {x}} is ×1.05 and {@code [x]} ÷1.05, and round brackets, backslashes
 * and numbers are text.
 */
public final class NovelAiPrompt {
    private static final double STEP = 1.05;
    private static final double PLACES = 1e6;

    /** Beyond it no weight makes sense. */
    private static final double HIGHEST = 1e6;

    private static final String QUALITY_TAGS = "masterpiece, best quality, ";

    private NovelAiPrompt() {}

    /** What the service puts before the negative prompt ("undesired content"). */
    public enum UndesiredContent {
        LOW_QUALITY_BAD_ANATOMY("lowres, bad anatomy, bad hands, text, error, missing fingers, extra digit, fewer digits, cropped, "
                + "worst quality, low quality, normal quality, jpeg artifacts, signature, watermark, username, blurry"),
        LOW_QUALITY("lowres, text, cropped, worst quality, low quality, normal quality, jpeg artifacts, signature, watermark, "
                + "twitter username, blurry"),
        NONE("");

        private final String tags;

        UndesiredContent(String tags) {
            this.tags = tags;
        }

        /** The negative prompt with these tags in front. */
        public String with(String negativePrompt) {
            boolean both = !tags.isEmpty() && !negativePrompt.isEmpty();
            return tags + (both ? ", " : "") + negativePrompt;
        }
    }

    /** The prompt with the tags in front that the service adds to raise quality. */
    public static String withQualityTags(String prompt) {
        return QUALITY_TAGS + prompt;
    }

    /**
     * A prompt with the same weights in A1111's attention grammar. An unclosed bracket acts to the end, one too many is text; a weight is
     * rounded to six places.
     */
    public static String toWebUi(String prompt) {
        List<WeightedText> pieces = new ArrayList<>();
        StringBuilder text = new StringBuilder();
        int braces = 0;
        int squares = 0;
        for (int i = 0; i < prompt.length(); i++) {
            char c = prompt.charAt(i);
            boolean bracket = c == '{' || c == '[' || c == '}' && braces > 0 || c == ']' && squares > 0;
            if (!bracket) {
                text.append(c);
                continue;
            }
            flush(text, braces - squares, pieces);
            switch (c) {
                case '{' -> braces++;
                case '}' -> braces--;
                case '[' -> squares++;
                default -> squares--;
            }
        }
        flush(text, braces - squares, pieces);
        return PromptPrinter.print(pieces);
    }

    private static void flush(StringBuilder text, int depth, List<WeightedText> pieces) {
        if (text.length() > 0) {
            double weight = Math.min(Math.pow(STEP, depth), HIGHEST);
            pieces.add(new WeightedText(text.toString(), Math.round(weight * PLACES) / PLACES));
            text.setLength(0);
        }
    }
}
