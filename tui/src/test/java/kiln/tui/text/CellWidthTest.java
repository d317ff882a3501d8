package kiln.tui.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CellWidthTest {
    @ParameterizedTest
    @CsvSource({"a, 1", "é, 1", "日, 2", "한, 2", "👩‍👩‍👧, 2", "🇩🇪, 2", "👍🏽, 2", "❤️, 2", "❤, 1", "█, 1", "▀, 1", "ｱ, 1", "Ａ, 2", "─, 1", "🚀, 2", "…, 1"})
    void oneClusterTakesItsCells(String cluster, int cells) {
        assertThat(CellWidth.of(cluster)).isEqualTo(cells);
        assertThat(Graphemes.next(cluster, 0)).isEqualTo(cluster.length());
        assertThat(Graphemes.previous("x" + cluster, cluster.length() + 1)).isEqualTo(1);
    }

    @Test
    void decomposedLettersAndLoneMarks() {
        assertThat(CellWidth.ofText("e\u0301e\u0308")).isEqualTo(2);
        assertThat(CellWidth.of("\u0301")).isZero();
    }

    @Test
    void cutTextFitsAndSaysThatItWasCut() {
        assertThat(CellWidth.cut("日本語", 6)).isEqualTo("日本語");
        assertThat(CellWidth.cut("日本語", 5)).isEqualTo("日本…");
        assertThat(CellWidth.cut("日本語", 4)).isEqualTo("日…");
        assertThat(CellWidth.cut("abc", 0)).isEmpty();
    }

    @Test
    void wrapBreaksAtSpacesAndInsideLongWords() {
        String text = "flat red heart\n日本語日本語 x";
        List<String> lines = WordWrap.of(text, 8).lines().stream().map(l -> text.substring(l.start(), l.end())).toList();
        assertThat(lines).containsExactly("flat red ", "heart", "日本語日", "本語 x");
    }
}
