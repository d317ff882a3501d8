package kiln.tui.output;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AnsiWriterTest {
    private static String frame(ColorDepth depth, Object... cells) {
        AnsiWriter writer = new AnsiWriter(depth);
        writer.begin();
        for (int i = 0; i < cells.length; i += 2) {
            writer.cell(i / 2, 0, (String) cells[i], (Style) cells[i + 1]);
        }
        String all = new String(writer.end(-1, -1), StandardCharsets.UTF_8);
        assertThat(all).startsWith("\u001b[?2026h\u001b[?25l\u001b[1;1H").endsWith("\u001b[0m\u001b[?2026l");
        return all.substring("\u001b[?2026h\u001b[?25l\u001b[1;1H".length(), all.length() - "\u001b[0m\u001b[?2026l".length());
    }

    @Test
    void changesBetweenCellsAreOneSequence() {
        Style first = new Style(0x102030, 0x405060, Style.BOLD);
        assertThat(frame(ColorDepth.TRUECOLOR, "▀", first, "▀", first.color(0x010203), "x", Style.PLAIN))
                .isEqualTo("\u001b[0;1;38;2;16;32;48;48;2;64;80;96m▀\u001b[38;2;1;2;3m▀\u001b[0mx");
    }

    @ParameterizedTest
    @CsvSource({"INDEXED256, 0;38;5;208", "ANSI16, 0;33", "MONO, 0"})
    void coloursAreTheNearestThatTheTerminalHas(ColorDepth depth, String codes) {
        assertThat(frame(depth, "x", new Style(depth == ColorDepth.ANSI16 ? 0xc0b010 : 0xff8700, Style.DEFAULT, 0)))
                .isEqualTo("\u001b[" + codes + "mx");
    }

    @Test
    void cursorIsPlacedAnewBehindUncertainWidths() {
        assertThat(frame(ColorDepth.MONO, "👩‍👩‍👧", Style.PLAIN, "x", Style.PLAIN)).isEqualTo("\u001b[0m👩‍👩‍👧\u001b[1;2Hx");
    }

    @ParameterizedTest
    @CsvSource({
        "xterm-256color, truecolor, '', TRUECOLOR", "xterm-256color, '', '', INDEXED256", "linux, '', '', ANSI16", "dumb, '', '', MONO",
        "xterm-256color, truecolor, 1, MONO", "xterm-kitty, '', '', TRUECOLOR", "screen-256color, truecolor, '', INDEXED256"
    })
    void environmentDecidesTheDepth(String term, String colorterm, String noColor, ColorDepth depth) {
        assertThat(ColorDepth.of(Map.of("TERM", term, "COLORTERM", colorterm, "NO_COLOR", noColor))).isEqualTo(depth);
    }

    @Test
    void greysComeFromTheRampAndPureColoursFromTheCube() {
        assertThat(Palette.indexed(0x808080)).isEqualTo(244);
        assertThat(Palette.indexed(0xff0000)).isEqualTo(196);
        assertThat(Palette.indexed(0x000000)).isEqualTo(16);
        assertThat(Palette.indexed(0xffffff)).isEqualTo(231);
    }

    @Test
    void canvasCannotCommandTheTerminal() {
        Canvas canvas = new Canvas(10, 1);
        canvas.text(0, 0, 10, "a\u001b[2J\u009b", Style.PLAIN);
        assertThat(canvas.toString()).doesNotContain("\u001b", "\u009b").startsWith("a�[2J");
    }

    @Test
    void halfOfAWideClusterNeverStays() {
        Canvas canvas = new Canvas(6, 1);
        canvas.text(0, 0, 6, "日本語", Style.PLAIN);
        canvas.put(1, 0, "x", 1, Style.PLAIN);
        canvas.put(4, 0, "y", 1, Style.PLAIN);
        assertThat(canvas.toString()).isEqualTo(" x本y\n");
    }
}
