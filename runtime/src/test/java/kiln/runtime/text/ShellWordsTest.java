package kiln.runtime.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import kiln.runtime.base.KilnException;
import org.junit.jupiter.api.Test;

class ShellWordsTest {
    /** Expected values by Python's shlex.split. */
    @Test
    void splitsAsShlexDoes() {
        assertThat(split("")).isEmpty();
        assertThat(split("  a\t b\n")).containsExactly("a", "b");
        assertThat(split("--x 'a b'\"c \\\"d\\\" \\n\"e\\ f ''")).containsExactly("--x", "a bc \"d\" \\ne f", "");
        assertThat(split("'a\\b' \"\\\\\" \\'")).containsExactly("a\\b", "\\", "'");
    }

    @Test
    void refusesWhatIsNotClosed() {
        for (String line : List.of("'a", "\"a", "\"a\\\"", "a\\")) {
            assertThatThrownBy(() -> split(line)).isInstanceOf(KilnException.class).hasMessageContaining("ARGS");
        }
    }

    private static List<String> split(String line) {
        return ShellWords.split(line, "ARGS");
    }
}
