package kiln.runtime.pipeline;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
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

    /** As long as {@code tokens}, filled up with what the empty prompt was encoded to (A1111's "Pad conds"). */
    Conditioning filledUp(int tokens, int width, float[] empty) {
        return changed(tokens, context -> {
            float[] longer = Arrays.copyOf(context, tokens * width);
            for (int at = context.length; at < longer.length; at += empty.length) {
                System.arraycopy(empty, 0, longer, at, Math.min(empty.length, longer.length - at));
            }
            return longer;
        });
    }

    /** As long as {@code tokens}, cut or with its last vector repeated (A1111's "Pad conds v0"). */
    Conditioning cutOrRepeated(int tokens, int width) {
        return changed(tokens, context -> repeatingLast(context, tokens, width));
    }

    private Conditioning changed(int tokens, UnaryOperator<float[]> change) {
        List<Part> changed = new ArrayList<>();
        for (Part part : parts) {
            Map<String, float[]> byText = new HashMap<>(part.byText);
            byText.replaceAll((text, context) -> change.apply(context));
            changed.add(new Part(part.weight, part.schedule, byText));
        }
        return new Conditioning(changed, tokens);
    }

    /** As long as {@code tokens}: what is missing repeats the last token's vector, as A1111 fills up the shorter parts of an AND. */
    static float[] repeatingLast(float[] context, int tokens, int width) {
        int length = context.length;
        float[] longer = Arrays.copyOf(context, tokens * width);
        for (int at = length; at < longer.length; at += width) {
            System.arraycopy(context, length - width, longer, at, width);
        }
        return longer;
    }
}
