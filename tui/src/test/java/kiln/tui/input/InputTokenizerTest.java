package kiln.tui.input;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import kiln.tui.input.InputEvent.Focus;
import kiln.tui.input.InputEvent.Key;
import kiln.tui.input.InputEvent.Paste;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class InputTokenizerTest {
    private static final String E = "\u001b";
    /** What terminals really send: replies, keys in every dialect, mouse, focus, pastes. */
    private static final List<String> LOGS = List.of(
            "plain text with ümläuts, 日本 and 👩‍👩‍👧 🇩🇪",
            E + "[?62;4;22c" + E + "[?2026;2$y" + E + "P>|kitty(0.35.2)" + E + "\\x" + E + "]11;rgb:1e1e/1e1e/2e2e\u0007y",
            E + "_Gi=31;OK" + E + "\\" + E + "[4;600;800t" + E + "[?1u" + E + "[24;80R" + "z",
            E + "[A" + E + "OB" + E + "[1;5C" + E + "[3~" + E + "[15~" + E + "OP" + E + "[[A" + E + "[Z" + E + "[1;2R",
            E + "[13;5u" + E + "[27;5;13~" + E + "[97;5u" + E + "[97:65;2:3u" + E + "[57399u",
            E + "[<0;10;5M" + E + "[<0;10;5m" + E + "[M !!a" + E + "[I" + E + "[O",
            E + "[200~one\r\ntwo\rthree\ttab " + E + "[31mred" + E + "[201 no end" + E + "[201~after",
            "\r\n\t\u007f\b\u0003\u0007\u001f" + E + "\r" + E + "b" + E + E + "[Aü" + E + "ü" + E + "\u007f",
            E + "[12;34" + E + "[Bq" + E + "(Bw" + E + "#8e" + E + "P1$r0m" + E + "\\r" + E + "X sos " + E + "\\t");

    private static List<InputEvent> events(byte[] bytes, int... cuts) {
        List<InputEvent> events = new ArrayList<>();
        InputTokenizer tokenizer = new InputTokenizer(events::add);
        int from = 0;
        for (int cut : cuts) {
            tokenizer.feed(bytes, from, cut - from);
            from = cut;
        }
        tokenizer.feed(bytes, from, bytes.length - from);
        tokenizer.escapeTimeout();
        return events;
    }

    private static List<InputEvent> events(String text) {
        return events(text.getBytes(StandardCharsets.UTF_8));
    }

    private static List<Key> typed(String text) {
        return text.codePoints().mapToObj(Key::typed).toList();
    }

    @Test
    void cutsMakeNoDifference() {
        for (String log : LOGS) {
            byte[] bytes = log.getBytes(StandardCharsets.UTF_8);
            List<InputEvent> whole = events(bytes);
            for (int cut = 0; cut <= bytes.length; cut++) {
                for (int second = cut; second <= bytes.length; second++) {
                    assertThat(events(bytes, cut, second)).as("%s cut at %d and %d", log, cut, second).isEqualTo(whole);
                }
            }
        }
    }

    @Test
    void randomBytesNeitherThrowNorLeaveTheGroundForGood() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        for (int round = 0; round < 2000; round++) {
            byte[] bytes = new byte[random.nextInt(60)];
            random.nextBytes(bytes);
            for (int i = 0; i < bytes.length; i++) {
                if (random.nextInt(4) == 0) {
                    bytes[i] = (byte) "\u001b[]P_O;?200~1M\\".charAt(random.nextInt(15));
                }
            }
            List<InputEvent> events = new ArrayList<>();
            InputTokenizer tokenizer = new InputTokenizer(events::add);
            tokenizer.feed(bytes, 0, bytes.length);
            // Whatever was open ends with these: mouse bytes, a paste, a string, a sequence.
            byte[] end = ("\u0018\u0018\u0018\u0018" + E + "[201~" + E + "\\" + E + "[m#").getBytes(StandardCharsets.UTF_8);
            tokenizer.feed(end, 0, end.length);
            assertThat(events).as("seed %d round %d", seed, round).last().isEqualTo(Key.typed('#'));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "[?62;4;22c", "[>1;5202;0c", "[?2026;2$y", "[4;600;800t", "[6;16;8t", "[?1u", "[24;80R", "[0n", "[<0;300;5M", "[<35;1;1m", "[M ab",
        "]11;rgb:1e1e/1e1e/2e2e\u0007", "]52;c;aGFsbG8=\u001b\\", "P>|tmux 3.3a\u001b\\", "P1$r48:2:1:2:3m\u001b\\", "_Gi=31;OK\u001b\\",
        "^private\u001b\\", "Xstart\u001b\\", "[99;99;99z", "[=1;2S", "[1;2;3;4;5;6q", "(B", "#8", "[57441u", "[97;1:3u", "[99~"
    })
    void repliesAndUnknownSequencesAreSwallowed(String sequence) {
        assertThat(events(E + sequence + "x")).containsExactly(Key.typed('x'));
    }

    @ParameterizedTest
    @CsvSource(quoteCharacter = '"', value = {
        "[A, up", "OA, up", "[1;5A, ctrl+up", "[1;3D, alt+left", "[H, home", "[7~, home", "OF, end", "[4~, end", "[3~, delete", "[5~, pageup",
        "OP, f1", "[[E, f5", "[15~, f5", "[24~, f12", "[1;2R, shift+f3", "[Z, shift+tab", "[13;5u, ctrl+enter", "[13;2u, shift+enter",
        "[27;5;13~, ctrl+enter", "[99;5u, ctrl+c", "[27u, escape", "[97;2u, A", "[97:65;2u, A", "[228u, ä", "[57402u, 3", "OM, enter",
        "b, alt+b", "[127;3u, alt+backspace", "[1;5:2C, ctrl+right", "[9;5u, ctrl+tab", "O5P, ctrl+f1"
    })
    void keysAreKnownInEveryDialect(String sequence, String key) {
        assertThat(events(E + sequence)).containsExactly(Key.parse(key));
    }

    @Test
    void controlCharactersAreKeys() {
        assertThat(events("\r\n\t\u007f\u0003\u0007\u001f\u0000"))
                .containsExactly(
                        Key.parse("enter"), Key.parse("ctrl+j"), Key.parse("tab"), Key.parse("backspace"), Key.parse("ctrl+c"),
                        Key.parse("ctrl+g"), Key.parse("ctrl+_"), Key.parse("ctrl+space"));
        assertThat(events(E + "\r" + E + "\u007f")).containsExactly(Key.parse("alt+enter"), Key.parse("alt+backspace"));
    }

    @Test
    void emojiArriveAsWholeCodePoints() {
        assertThat(events("a👩‍👩‍👧日")).isEqualTo(typed("a👩‍👩‍👧日"));
    }

    @Test
    void malformedUtf8TypesNothing() {
        byte[] bytes = {'a', (byte) 0xc0, (byte) 0x80, (byte) 0xed, (byte) 0xa0, (byte) 0x80, (byte) 0xff, (byte) 0xe2, (byte) 0x82, 'b'};
        assertThat(events(bytes)).isEqualTo(typed("ab"));
    }

    @Test
    void loneEscapeIsPendingUntilItsTimeout() {
        List<InputEvent> events = new ArrayList<>();
        InputTokenizer tokenizer = new InputTokenizer(events::add);
        tokenizer.feed(new byte[] {0x1b}, 0, 1);
        assertThat(tokenizer.isEscapePending()).isTrue();
        assertThat(events).isEmpty();
        tokenizer.escapeTimeout();
        assertThat(tokenizer.isEscapePending()).isFalse();
        assertThat(events).containsExactly(Key.parse("escape"));
    }

    @Test
    void pasteIsOneEventWithoutControls() {
        assertThat(events(E + "[200~one\r\ntwo\rthree\tx\u0007" + E + "[31m" + E + "[201~" + E + "[I"))
                .containsExactly(new Paste("one\ntwo\nthree x[31m"), new Focus(true));
    }

    @Test
    void longPasteArrivesWhole() {
        StringBuilder text = new StringBuilder();
        while (text.length() < 200_000) {
            text.append("a red fox, 日本語 👩‍👩‍👧\n");
        }
        byte[] bytes = (E + "[200~" + text.toString().replace("\n", "\r") + E + "[201~").getBytes(StandardCharsets.UTF_8);
        int[] cuts = new int[bytes.length / 4093];
        for (int i = 0; i < cuts.length; i++) {
            cuts[i] = (i + 1) * 4093;
        }
        assertThat(events(bytes, cuts)).containsExactly(new Paste(text.toString()));
    }

    @Test
    void pasteBeyondTheLimitIsCutAndEnds() {
        String much = "x".repeat(3 << 20);
        List<InputEvent> events = events(E + "[200~" + much + E + "[201~y");
        assertThat(events).hasSize(2);
        assertThat(((Paste) events.get(0)).text()).hasSize(1 << 20);
        assertThat(events.get(1)).isEqualTo(Key.typed('y'));
    }

    @Test
    void labelsReadAsPeopleWriteThem() {
        assertThat(List.of("ctrl+g", "alt+enter", "left", "ctrl+up", "shift+tab", "?").stream().map(k -> Key.parse(k).label()))
                .containsExactly("^G", "Alt+Enter", "←", "Ctrl+↑", "Shift+Tab", "?");
    }
}
