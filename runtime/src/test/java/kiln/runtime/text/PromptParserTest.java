package kiln.runtime.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.stream.Stream;
import kiln.runtime.base.KilnException;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class PromptParserTest {
    static Stream<Arguments> table() {
        return Stream.of(
                row("normal text", "normal text", 1),
                row("an (important) word", "an ", 1, "important", 1.1, " word", 1),
                row("(unbalanced", "unbalanced", 1.1),
                row("\\(literal\\]", "(literal]", 1),
                row("(unnecessary)(parens)", "unnecessaryparens", 1.1),
                row(
                        "a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).",
                        "a ", 1, "house", 1.573, " ", 1.1, "on", 1, " a ", 1.1, "hill", 0.55, ", sun, ", 1.1, "sky", 1.4641, ".", 1.1),
                row("(a)", "a", 1.1),
                row("((a))", "a", 1.21),
                row("[a]", "a", 1 / 1.1),
                row("(a:1.3)", "a", 1.3),
                row("(a : 1.3)", "a ", 1.3),
                row("(a:.5)", "a", 0.5),
                row("(a:-1)", "a", -1),
                row("(a:+2.)", "a", 2),
                row("(a:1.3", "a:1.3", 1.1),
                row("[a:1.3]", "a:1.3", 1 / 1.1),
                row("[(a:1.3)]", "a", 1.3 / 1.1),
                row("a:1.2", "a:1.2", 1),
                row("a:1.2)", "a:1.2)", 1),
                row("(a:b)", "a:b", 1.1),
                row("(a:b:1.2)", "a:b", 1.2),
                row("(a\\:b:1.2)", "a:b", 1.2),
                row("()", "", 1),
                row("", "", 1),
                row("\\(a\\)", "(a)", 1),
                row("\\\\(a)", "\\", 1, "a", 1.1),
                row("a\\b", "ab", 1),
                row("((a:1.2) b:1.5)", "a", 1.8, " b", 1.5),
                row("a)", "a)", 1),
                row("a]b[c", "a]b", 1, "c", 1 / 1.1),
                row("(a:1e1)", "a:1e1", 1.1),
                row("(a:\u0661.\u0665)", "a", 1.5),
                row("{a}", "{a}", 1),
                row("<lora:x:1>", "<lora:x:1>", 1),
                row("a BREAK b", "a", 1, "BREAK", -1, "b", 1),
                row("a\nBREAK\n\nBREAK b", "a", 1, "BREAK", -1, "", 1, "BREAK", -1, "b", 1),
                row("BREAK", "", 1, "BREAK", -1, "", 1),
                row("aBREAKb", "aBREAKb", 1),
                row("BREAK_ a1BREAK \u00e9BREAK", "BREAK_ a1BREAK \u00e9BREAK", 1),
                row("(a BREAK b:1.2)", "a", 1.2, "BREAK", -1.2, "b", 1.2));
    }

    @ParameterizedTest
    @MethodSource("table")
    void givesThePiecesThatA1111Gives(String prompt, List<WeightedText> expected) {
        List<WeightedText> pieces = PromptParser.attention(prompt);
        assertThat(pieces).extracting(WeightedText::text).isEqualTo(expected.stream().map(WeightedText::text).toList());
        for (int i = 0; i < expected.size(); i++) {
            // The expected weights are products written in another order.
            assertThat(pieces.get(i).weight()).isCloseTo(expected.get(i).weight(), Offset.offset(1e-12));
        }
    }

    @Test
    void whatOnlyLooksLikeAWeightIsText() {
        assertThat(PromptParser.attention("(a:1.2.3)")).containsExactly(new WeightedText("a:1.2.3", 1.1));
        assertThat(PromptParser.attention("(a:.)")).containsExactly(new WeightedText("a:.", 1.1));
        assertThat(PromptParser.attention("((a: 1..2 ):2)")).containsExactly(new WeightedText("a: 1..2 ", 2.2));
        assertThat(PromptParser.attention("(a:" + "9".repeat(400) + ")")).extracting(WeightedText::weight).containsExactly(1.1);
    }

    @Test
    void weightsStayFinite() {
        String large = "9".repeat(200);
        assertThat(PromptParser.attention("((((a:" + large + "):" + large + "):0):" + large + ")"))
                .containsExactly(new WeightedText("a", 0));
    }

    @Test
    void takesAHundredThousandBracketsAndColons() {
        assertThat(PromptParser.attention("(".repeat(100_000))).hasSize(1);
        assertThat(PromptParser.attention("[(:".repeat(33_000))).isNotEmpty();
        assertThat(PromptParser.attention(":1".repeat(50_000))).hasSize(1);
        assertThat(PromptParser.attention("(" + ":1.1 ".repeat(20_000) + ")")).hasSize(1);
        assertThat(PromptParser.attention("(" + ": ".repeat(50_000) + ")")).hasSize(1);
        assertThat(PromptParser.attention(":" + " ".repeat(100_000))).hasSize(1);
        assertThat(PromptParser.attention("BREAK ".repeat(16_000))).hasSize(2 * 16_000 + 1);
    }

    private static Arguments row(String prompt, Object... textsAndWeights) {
        Stream.Builder<WeightedText> pieces = Stream.builder();
        for (int i = 0; i < textsAndWeights.length; i += 2) {
            pieces.add(new WeightedText((String) textsAndWeights[i], ((Number) textsAndWeights[i + 1]).doubleValue()));
        }
        return Arguments.of(prompt, pieces.build().toList());
    }
}
