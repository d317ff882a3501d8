package kiln.tui.terminal;

import static org.assertj.core.api.Assertions.assertThat;

import com.googlecode.lanterna.TerminalSize;
import com.googlecode.lanterna.terminal.virtual.DefaultVirtualTerminal;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import kiln.tui.output.Canvas;
import kiln.tui.output.ColorDepth;
import kiln.tui.output.Style;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class CellScreenTest {
    private static final Pattern MODE = Pattern.compile("\u001b\\[\\?(\\d+)([hl])|\u001b\\[([<>])1?u");

    private final DefaultVirtualTerminal terminal = new DefaultVirtualTerminal(new TerminalSize(20, 3));
    private final List<String> frames = new ArrayList<>();
    private CellScreen screen;

    @BeforeEach
    void start() throws IOException {
        screen = new CellScreen(terminal, bytes -> frames.add(new String(bytes, StandardCharsets.UTF_8)), ColorDepth.TRUECOLOR);
        screen.startScreen();
        screen.prepare();
        frames.clear();
    }

    private String show(String... lines) throws IOException {
        TerminalSize size = screen.prepare();
        Canvas canvas = new Canvas(size.getColumns(), size.getRows());
        for (int y = 0; y < lines.length; y++) {
            canvas.text(0, y, size.getColumns(), lines[y], Style.PLAIN);
        }
        screen.show(canvas);
        return frames.get(frames.size() - 1);
    }

    @Test
    void firstFrameClearsAndDrawsAllLaterOnesOnlyChanges() throws IOException {
        assertThat(show("hello", "world")).contains("\u001b[2J", "hello", "world");
        String second = show("hello", "wurld");
        assertThat(second).doesNotContain("\u001b[2J", "hello").contains("\u001b[2;2H").contains("u");
        assertThat(second.length()).isLessThan(60);
    }

    @Test
    void frameIsOneWriteInsideSynchronisedOutput() throws IOException {
        show("one");
        assertThat(show("two", "three")).startsWith("\u001b[?2026h").endsWith("\u001b[?2026l");
        assertThat(frames).hasSize(2);
    }

    @Test
    void emojiAndWideCharactersArriveWhole() throws IOException {
        String frame = show("日本 👩‍👩‍👧 🇩🇪 é ❤️ e\u0301!");
        assertThat(frame).contains("日", "本", "👩‍👩‍👧", "🇩🇪", "é", "❤️", "e\u0301").doesNotContain("\ue000", "\uf8ff", "??", "\u0000");
        assertThat(show("日本 👩‍👩‍👧 🇩🇪 é ❤️ e\u0301?")).doesNotContain("日", "👩");
    }

    @Test
    void attributesAndColoursReachTheTerminal() throws IOException {
        Canvas canvas = new Canvas(20, 3);
        canvas.put(0, 0, "a", 1, new Style(0x010203, 0x040506, Style.BOLD));
        canvas.put(2, 0, "b", 1, Style.PLAIN.with(Style.DIM));
        canvas.put(4, 0, "c", 1, Style.PLAIN.with(Style.UNDERLINE | Style.REVERSE));
        screen.show(canvas);
        assertThat(frames.get(0)).contains("1;38;2;1;2;3;48;2;4;5;6ma", "2mb", "4;7mc");
    }

    @Test
    void privateUseCharactersStayThemselves() throws IOException {
        assertThat(show("\ue000\uf8ff")).contains("\ue000", "\uf8ff");
    }

    @Test
    void anotherSizeDrawsEverythingAnew() throws IOException {
        show("hello");
        terminal.setTerminalSize(new TerminalSize(30, 5));
        assertThat(show("hello")).contains("\u001b[2J", "hello");
        terminal.setTerminalSize(new TerminalSize(4, 1));
        assertThat(show("hello")).contains("hel…");
    }

    @Test
    void everyModeThatIsSetIsTakenBackInReverse() {
        List<String> entered = new ArrayList<>();
        List<String> left = new ArrayList<>();
        Matcher on = MODE.matcher(Modes.ENTER);
        while (on.find()) {
            entered.add(on.group(1) != null ? on.group(1) : "keyboard");
        }
        Matcher off = MODE.matcher(Modes.LEAVE);
        while (off.find()) {
            if (!"2026".equals(off.group(1)) && !"25".equals(off.group(1))) {
                left.add(0, off.group(1) != null ? off.group(1) : "keyboard");
            }
        }
        assertThat(entered).isNotEmpty().isEqualTo(left);
        assertThat(Modes.LEAVE).startsWith("\u001b[?2026l").endsWith("\u001b[0m\u001b[?25h");
    }

    @Test
    void sizesAreReadFromStty() {
        assertThat(ScreenSize.parse("24 80\n")).isEqualTo(new ScreenSize(80, 24));
        assertThat(ScreenSize.parse("0 0")).isNull();
        assertThat(ScreenSize.parse("stty: standard input")).isNull();
    }
}
