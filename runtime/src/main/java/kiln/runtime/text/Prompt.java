package kiln.runtime.text;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * A whole prompt, read in A1111's order: comments go, networks are cut out, {@code AND} separates parts, each part has its schedule.
 * What remains in a schedule's texts is the attention grammar of {@link PromptParser}, which {@link PromptChunks} reads.
 *
 * @param networks asked for by tags, in order; none in a negative prompt, where tags are text
 * @param parts at least one
 */
public record Prompt(List<ExtraNetwork> networks, List<Part> parts) {
    public Prompt {
        networks = List.copyOf(networks);
        parts = List.copyOf(parts);
    }

    /**
     * One of the prompts that guidance adds up.
     *
     * @param weight 1 unless the prompt says otherwise
     */
    public record Part(double weight, PromptSchedule schedule) {
        public Part {
            Objects.requireNonNull(schedule, "schedule");
        }
    }

    /** Any text is a prompt. */
    public static Prompt positive(String prompt, ScheduleSteps steps, PromptOptions options) {
        ExtraNetworks cut = ExtraNetworks.cut(withoutComments(prompt, options));
        List<Part> parts = new ArrayList<>();
        for (CompositePrompt.Part part : CompositePrompt.split(cut.text()).parts()) {
            parts.add(new Part(part.weight(), PromptSchedule.of(part.text(), steps)));
        }
        return new Prompt(cut.networks(), parts);
    }

    /** A negative prompt has a schedule, but no networks and a single part. */
    public static Prompt negative(String prompt, ScheduleSteps steps, PromptOptions options) {
        PromptSchedule schedule = PromptSchedule.of(withoutComments(prompt, options), steps);
        return new Prompt(List.of(), List.of(new Part(1, schedule)));
    }

    /** The web UI's counter: of all texts that the denoiser may see, the one with most tokens. */
    public PromptCount count(ClipTokenizer tokenizer, PromptOptions options) {
        int used = 0;
        for (Part part : parts) {
            for (String text : part.schedule.texts().stream().distinct().toList()) {
                used = Math.max(used, PromptChunks.parse(tokenizer, text, options).used());
            }
        }
        return PromptCount.of(used);
    }

    private static String withoutComments(String prompt, PromptOptions options) {
        return options.comments() ? PromptComments.strip(prompt) : prompt;
    }
}
