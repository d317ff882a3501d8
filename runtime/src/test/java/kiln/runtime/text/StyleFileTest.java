package kiln.runtime.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import kiln.runtime.base.KilnException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StyleFileTest {
    @TempDir Path folder;

    private Path write(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text);
    }

    @Test
    void quotesHoldCommasQuotesAndLines() throws IOException {
        Path file = write("styles.csv", "\ufeffname,prompt,negative_prompt\r\n"
                + "\"Oil, thick\",\"oil painting of {prompt},\nthick \"\"impasto\"\"\",\r\n"
                + "# a remark,x,y\r\n\r\n"
                + "Plain,say \"hi\",ugly\r\n");
        assertThat(StyleFile.read(List.of(file)).all()).containsExactly(
                new Style("Oil, thick", "oil painting of {prompt},\nthick \"impasto\"", ""), new Style("Plain", "say \"hi\"", "ugly"));
    }

    @Test
    void theFirstVersionsColumnsAreRead() throws IOException {
        assertThat(StyleFile.read(List.of(write("styles.csv", "name,text\nOld,as it was"))).all())
                .containsExactly(new Style("Old", "as it was", ""));
    }

    @Test
    void wildcardsTakeSeveralFilesAndLaterOnesCount() throws IOException {
        write("a1.csv", "name,prompt,negative_prompt\nSame,first,\nA,a,\n");
        write("a2.csv", "name,prompt,negative_prompt\nSame,second,\n");
        write("b.csv", "name,prompt,negative_prompt\nB,b,\n");
        assertThat(StyleFile.read(List.of(folder.resolve("a?.csv"))).all())
                .containsExactly(new Style("Same", "second", ""), new Style("A", "a", ""));
        assertThat(StyleFile.read(List.of(folder.resolve("*.csv"), folder.resolve("none.csv"), folder.resolve("no/*.csv"))).all()).hasSize(3);
    }

    @Test
    void whatWasSavedIsReadAndTheOldFileIsKept() throws IOException {
        Path file = write("styles.csv", "name,prompt,negative_prompt\nA,a,\n");
        Styles more = StyleFile.read(List.of(file)).with(new Style("B", "b,\n\"{prompt}\"", "é"));
        StyleFile.save(more, file);
        assertThat(StyleFile.read(List.of(file)).all()).isEqualTo(more.all()).hasSize(2);
        assertThat(folder.resolve("styles.csv.bak")).hasContent("name,prompt,negative_prompt\nA,a,\n");
        assertThat(Files.readString(file)).startsWith("\ufeffname,prompt,negative_prompt\r\n");
        try (var files = Files.list(folder)) {
            assertThat(files).hasSize(2);
        }
    }

    @Test
    void anotherKindOfFileIsRefused() throws IOException {
        Path file = write("styles.csv", "PNG\u0000\u0001 no table");
        assertThatThrownBy(() -> StyleFile.read(List.of(file)))
                .isInstanceOfSatisfying(KilnException.class, e -> assertThat(e.category()).isEqualTo(KilnException.Category.CORRUPT_FILE))
                .hasMessageContaining("styles.csv")
                .hasMessageContaining("name,prompt,negative_prompt");
    }

    @Test
    void anUnknownStyleIsToldWithTheNearest() {
        Styles styles = new Styles(List.of(new Style("Photo", "photo", "")));
        assertThatThrownBy(() -> styles.named("Foto")).isInstanceOf(KilnException.class).hasMessageContaining("Photo");
    }
}
