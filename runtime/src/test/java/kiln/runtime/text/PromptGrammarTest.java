package kiln.runtime.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Any text is a prompt, and what was read from one can be written down again. */
class PromptGrammarTest {
    private static final int PROMPTS = 10_000;
    private static final String[] WORDS = {
        "cat", "a photo of", " ", "\n", ", ", "AND", " AND ", "BREAK", " BREAK ", "\u732b", "#", ":", "0.5", ":3", ":0.5]", ":1.2)",
        ":1.2.3)", "<lora:a:0.7>", "<", ">", "&amp;", "\\", "\\(", "\\]", "\\\\", "|", "(", ")", "[", "]", "((", "]]", ":-1)", "[x:y:4]",
        "[x|y]", "(x:1.1)",
        "\ud83d\ude00", "\ud83d", "_", "\u0663", " :2"
    };

    @Test
    void generatedPromptsAreReadAndPrintBack() {
        long seed = 20261128;
        Random random = new Random(seed);
        for (int i = 0; i < PROMPTS; i++) {
            String prompt = prompt(random, 4);
            try {
                check(prompt);
            } catch (AssertionError | RuntimeException e) {
                throw new AssertionError("seed " + seed + ", prompt " + i + ": " + prompt + "\n" + e.getMessage(), e);
            }
        }
    }

    private static void check(String prompt) {
        List<WeightedText> pieces = PromptParser.attention(prompt);
        assertThat(PromptParser.attention(PromptPrinter.print(pieces))).isEqualTo(pieces);
        List<ScheduleNode> nodes = ScheduleGrammar.parse(prompt);
        assertThat(ScheduleGrammar.parse(ScheduleNode.print(nodes))).isEqualTo(nodes);
        CompositePrompt composite = CompositePrompt.split(prompt);
        assertThat(CompositePrompt.split(composite.toString())).isEqualTo(composite);
        for (ExtraNetwork network : ExtraNetworks.cut(prompt).networks()) {
            assertThat(ExtraNetworks.cut(network.toString())).isEqualTo(new ExtraNetworks("", List.of(network)));
        }
        for (ScheduleSteps steps : List.of(ScheduleSteps.first(6), ScheduleSteps.second(6, 4), ScheduleSteps.before16(6))) {
            Prompt whole = Prompt.positive(prompt, steps, PromptOptions.DEFAULT);
            for (Prompt.Part part : whole.parts()) {
                List<PromptSchedule.Entry> entries = part.schedule().entries();
                assertThat(entries.get(entries.size() - 1).until()).isEqualTo(steps.calls());
            }
            assertThat(Prompt.negative(prompt, steps, PromptOptions.DEFAULT).parts()).hasSize(1);
        }
    }

    private static String prompt(Random random, int depth) {
        StringBuilder out = new StringBuilder();
        for (int i = random.nextInt(5); i >= 0; i--) {
            switch (depth == 0 ? 9 : random.nextInt(10)) {
                case 0 -> out.append('(').append(prompt(random, depth - 1)).append(')');
                case 1 -> out.append('[').append(prompt(random, depth - 1)).append(']');
                case 2 -> out.append('(').append(prompt(random, depth - 1)).append(':').append(random.nextInt(20) / 10.0).append(')');
                case 3 -> out.append('[').append(prompt(random, depth - 1)).append(':').append(prompt(random, depth - 1))
                        .append(": ").append(random.nextInt(9)).append(']');
                case 4 -> out.append('[').append(prompt(random, depth - 1)).append("|]");
                default -> out.append(WORDS[random.nextInt(WORDS.length)]);
            }
        }
        return out.toString();
    }

    @Test
    void aHundredThousandCharactersOfBracketsAreRead() {
        int deep = 20_000;
        for (String prompt : List.of(
                "[".repeat(deep) + "x" + ":1]".repeat(deep),
                "[".repeat(deep) + "x" + "|]".repeat(deep),
                "[".repeat(deep) + "x" + "]".repeat(deep),
                "(a".repeat(deep) + ")".repeat(deep),
                "[a:".repeat(deep),
                "[a|".repeat(deep),
                "(a:1)]".repeat(deep),
                "[a:b:3]".repeat(deep),
                "AND :1".repeat(deep),
                "#\n".repeat(deep),
                "<a:b><".repeat(deep))) {
            List<ScheduleNode> nodes = ScheduleGrammar.parse(prompt);
            assertThat(ScheduleNode.print(nodes)).isNotEmpty();
            assertThat(Prompt.positive(prompt, ScheduleSteps.first(3), PromptOptions.DEFAULT).parts()).isNotEmpty();
        }
    }

    @Test
    void deepChangesAreFollowedToTheirText() {
        int deep = 20_000;
        PromptSchedule schedule = PromptSchedule.of("[".repeat(deep) + "x" + "::2]".repeat(deep), ScheduleSteps.first(5));
        assertThat(schedule.entries()).containsExactly(new PromptSchedule.Entry(2, "x"), new PromptSchedule.Entry(5, ""));
    }
}
