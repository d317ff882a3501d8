package kiln.tui.editor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import kiln.tui.input.InputEvent.Key;
import org.junit.jupiter.api.Test;

class PromptEditorTest {
    private final PromptHistory history = new PromptHistory();
    private final PromptEditor editor = new PromptEditor(new KillRing(), history);

    private void type(String text) {
        text.codePoints().forEach(editor::type);
    }

    private void press(String... keys) {
        for (String key : keys) {
            assertThat(EditorKeys.handle(editor, Key.parse(key))).as(key).isTrue();
        }
    }

    @Test
    void caretMovesAndDeletesByClusters() {
        for (String cluster : List.of("👩‍👩‍👧", "🇩🇪", "é", "👍🏽", "한", "日")) {
            editor.replace("a" + cluster + "b");
            press("left", "left");
            assertThat(editor.caret()).as(cluster).isEqualTo(1);
            press("delete");
            assertThat(editor.text()).as(cluster).isEqualTo("ab");
            editor.replace("a" + cluster);
            press("backspace");
            assertThat(editor.text()).as(cluster).isEqualTo("a");
        }
    }

    @Test
    void wordsTypedAreUndoneOneByOne() {
        type("red heart");
        press("ctrl+_");
        assertThat(editor.text()).isEqualTo("red");
        press("ctrl+_");
        assertThat(editor.text()).isEmpty();
        press("alt+/", "alt+/");
        assertThat(editor.text()).isEqualTo("red heart");
        press("ctrl+_");
        type("!");
        press("alt+/");
        assertThat(editor.text()).isEqualTo("red!");
    }

    @Test
    void aSuggestionGivesWayToWhatIsTypedOrPasted() {
        editor.suggest("3d rocket");
        assertThat(editor.isSuggestion()).isTrue();
        assertThat(editor.text()).isEqualTo("3d rocket");
        type("owl");
        assertThat(editor.text()).isEqualTo("owl");
        press("ctrl+_", "ctrl+_");
        assertThat(editor.text()).isEqualTo("3d rocket");
        editor.replace("");
        editor.suggest("3d rocket");
        editor.insert("a fox");
        assertThat(editor.text()).isEqualTo("a fox");
    }

    @Test
    void anyOtherKeyTakesASuggestionOver() {
        for (String key : List.of("end", "left", "up", "backspace", "ctrl+w", "alt+b")) {
            editor.replace("");
            editor.suggest("3d rocket");
            press(key);
            assertThat(editor.isSuggestion()).as(key).isFalse();
            String before = editor.text();
            type("s");
            assertThat(editor.text()).as(key).hasSize(before.length() + 1);
        }
        editor.names(List.of("rockets"));
        editor.replace("");
        editor.suggest("3d rocket");
        assertThat(editor.complete()).isTrue();
        assertThat(editor.text()).startsWith("3d rockets");
    }

    @Test
    void pasteIsOneUnitOfUndo() {
        type("a ");
        editor.insert("many\nlines of\ntext");
        press("ctrl+_");
        assertThat(editor.text()).isEqualTo("a ");
    }

    @Test
    void longPasteStaysWhole() {
        String text = "a red fox 👩‍👩‍👧, ".repeat(10_000);
        editor.insert(text);
        editor.wrap(35);
        press("up", "end", "ctrl+left");
        assertThat(editor.text()).isEqualTo(text);
        press("ctrl+_");
        assertThat(editor.text()).isEmpty();
    }

    @Test
    void killsInARowAreYankedTogether() {
        type("one two three");
        press("ctrl+w", "ctrl+w");
        assertThat(editor.text()).isEqualTo("one ");
        press("ctrl+y");
        assertThat(editor.text()).isEqualTo("one two three");
        press("ctrl+a", "ctrl+k");
        assertThat(editor.text()).isEmpty();
        press("ctrl+y", "alt+y");
        assertThat(editor.text()).isEqualTo("two three");
    }

    @Test
    void wordMotionsStopAtWords() {
        type("red heart, pink");
        press("ctrl+left");
        assertThat(editor.caret()).isEqualTo(11);
        press("ctrl+left");
        assertThat(editor.caret()).isEqualTo(4);
        press("ctrl+right");
        assertThat(editor.caret()).isEqualTo(9);
        press("alt+d");
        assertThat(editor.text()).isEqualTo("red heart");
    }

    @Test
    void linesOfTheScreenAreWalkedKeepingTheColumn() {
        editor.wrap(10);
        type("flat red heart on pink");
        press("ctrl+home", "ctrl+right", "down");
        // "flat red " / "heart on " / "pink"
        assertThat(editor.caret()).isEqualTo(13);
        press("down");
        assertThat(editor.caret()).isEqualTo(22);
        press("up", "up");
        assertThat(editor.caret()).isEqualTo(4);
        press("end");
        assertThat(editor.caret()).isEqualTo(8);
        press("home");
        assertThat(editor.caret()).isZero();
    }

    @Test
    void historyBeginsAtTheEdgeAndKeepsTheDraft() {
        history.load(List.of("oldest"));
        history.add("older");
        type("draft");
        press("up");
        assertThat(editor.text()).isEqualTo("older");
        press("up", "up");
        assertThat(editor.text()).isEqualTo("oldest");
        press("down", "down");
        assertThat(editor.text()).isEqualTo("draft");
        press("down");
        assertThat(editor.text()).isEqualTo("draft");
    }

    @Test
    void weightsRiseAndFall() {
        type("a red heart");
        press("ctrl+left", "ctrl+up");
        assertThat(editor.text()).isEqualTo("a red (heart:1.1)");
        press("ctrl+up");
        assertThat(editor.text()).isEqualTo("a red (heart:1.2)");
        press("ctrl+down", "ctrl+down");
        assertThat(editor.text()).isEqualTo("a red heart");
        press("ctrl+down");
        assertThat(editor.text()).isEqualTo("a red (heart:0.9)");
        press("ctrl+_");
        assertThat(editor.text()).isEqualTo("a red heart");
    }

    @Test
    void completionTakesTheLongestRunOfWords() {
        editor.names(List.of("red heart", "heart suit", "sunflower", "rocket", "red"));
        type("flat red he");
        assertThat(editor.completion()).isEqualTo(new Completion(6, List.of("red heart")));
        assertThat(editor.complete()).isTrue();
        assertThat(editor.text()).isEqualTo("flat red heart");
        assertThat(editor.completion()).isNull();
        type(", SUN");
        assertThat(editor.completion().rest()).isEqualTo("flower");
        type("x");
        assertThat(editor.complete()).isFalse();
    }

    @Test
    void anyKeysInAnyOrderKeepTheCaretBetweenClusters() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        String[] keys = {
            "left", "right", "up", "down", "home", "end", "ctrl+left", "ctrl+right", "ctrl+k", "ctrl+u", "ctrl+w", "ctrl+y", "alt+y",
            "backspace", "delete", "ctrl+up", "ctrl+down", "ctrl+_", "alt+/", "alt+enter", "alt+d", "alt+backspace"
        };
        String[] texts = {"a", " ", "日", "👩‍👩‍👧", "🇩🇪", "e\u0301", "(", ":1.2)", "\u200d", "\ufe0f", "\u0301", "👍🏽"};
        for (int step = 0; step < 20_000; step++) {
            if (random.nextInt(3) == 0) {
                texts[random.nextInt(texts.length)].codePoints().forEach(editor::type);
            } else {
                press(keys[random.nextInt(keys.length)]);
            }
            editor.wrap(5 + random.nextInt(10));
            if (editor.text().length() > 200) {
                editor.replace("");
            }
            int caret = editor.caret();
            String text = editor.text();
            boolean whole = caret == text.length() || !Character.isLowSurrogate(text.charAt(caret));
            assertThat(whole).as("seed %d step %d", seed, step).isTrue();
        }
    }
}
