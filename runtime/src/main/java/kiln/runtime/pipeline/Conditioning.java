package kiln.runtime.pipeline;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import kiln.runtime.text.PromptSchedule;

/**
 * A prompt as the denoiser reads it, call by call: its parts, each {@code [tokens, width]} at every call, all of one length.
 *
 * @param tokens a multiple of a chunk's
 */
record Conditioning(List<Part> parts, int tokens) {
    Conditioning {
        parts = List.copyOf(parts);
    }

    /**
     * One of the prompts that guidance adds up.
     *
     * @param byText what each text of the schedule was encoded to
     */
    record Part(double weight, PromptSchedule schedule, Map<String, float[]> byText) {
        Part {
            byText = Map.copyOf(byText);
        }

        /** What the denoiser's call reads, counted from 0. */
        float[] at(int call) {
            return byText.get(schedule.at(call).text());
        }
    }

    /** As long as {@code tokens}: what is missing repeats the last token's vector, as A1111 fills up the shorter parts of an AND. */
    static float[] lengthened(float[] context, int tokens, int width) {
        int length = context.length;
        float[] longer = Arrays.copyOf(context, tokens * width);
        for (int at = length; at < longer.length; at += width) {
            System.arraycopy(context, length - width, longer, at, width);
        }
        return longer;
    }
}
