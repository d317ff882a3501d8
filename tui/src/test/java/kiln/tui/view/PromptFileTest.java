package kiln.tui.view;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PromptFileTest {
    @TempDir
    Path folder;

    @Test
    void promptsComeBackInOrderWithTheirLines() throws IOException {
        PromptFile file = new PromptFile(folder.resolve("not/yet/there"));
        assertThat(file.load()).isEmpty();
        file.append("a red fox");
        file.append("two\nlines \\n and \\ backslashes 👩‍👩‍👧");
        assertThat(new PromptFile(folder.resolve("not/yet/there")).load())
                .containsExactly("a red fox", "two\nlines \\n and \\ backslashes 👩‍👩‍👧");
    }
}
