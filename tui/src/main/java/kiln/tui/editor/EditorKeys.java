package kiln.tui.editor;

import java.util.List;
import java.util.function.Consumer;
import kiln.tui.command.Command;
import kiln.tui.command.CommandTable;
import kiln.tui.input.InputEvent.Key;

/** The editor's keys: readline's, as far as they leave the program's own alone. */
public final class EditorKeys {
    public static final CommandTable<PromptEditor> TABLE = new CommandTable<>(List.of(
            row("newline", "new line", "alt+enter ctrl+j shift+enter", e -> e.insert("\n")),
            row("left", "a character left", "left ctrl+b", PromptEditor::left),
            row("right", "a character right", "right ctrl+f", PromptEditor::right),
            row("word-left", "a word left", "ctrl+left alt+b alt+left", PromptEditor::wordLeft),
            row("word-right", "a word right", "ctrl+right alt+f alt+right", PromptEditor::wordRight),
            row("up", "a line up; in the first one, the prompt before", "up ctrl+p", PromptEditor::up),
            row("down", "a line down; in the last one, the prompt after", "down ctrl+n", PromptEditor::down),
            row("line-start", "start of the line", "home ctrl+a", PromptEditor::lineStart),
            row("line-end", "end of the line", "end ctrl+e", PromptEditor::lineEnd),
            row("start", "start of the text", "ctrl+home alt+<", PromptEditor::toStart),
            row("end", "end of the text", "ctrl+end alt+>", PromptEditor::toEnd),
            row("weight-up", "raise the word's weight", "ctrl+up alt+up", PromptEditor::raiseWeight),
            row("weight-down", "lower the word's weight", "ctrl+down alt+down", PromptEditor::lowerWeight),
            row("undo", "undo", "ctrl+_ alt+u", PromptEditor::undo),
            row("redo", "redo", "alt+/ alt+r", PromptEditor::redo),
            row("delete-before", "delete the character before", "backspace ctrl+h shift+backspace", PromptEditor::deleteBefore),
            row("delete-after", "delete the character after", "delete ctrl+d", PromptEditor::deleteAfter),
            row("kill-end", "cut to the line's end", "ctrl+k", PromptEditor::killToLineEnd),
            row("kill-start", "cut to the line's start", "ctrl+u", PromptEditor::killToLineStart),
            row("kill-blank-word", "cut the word before", "ctrl+w", PromptEditor::killBlankWord),
            row("kill-word-before", "cut to the word's start", "alt+backspace ctrl+backspace", PromptEditor::killWordBefore),
            row("kill-word-after", "cut to the word's end", "alt+d ctrl+delete", PromptEditor::killWordAfter),
            row("yank", "insert what was cut", "ctrl+y", PromptEditor::yank),
            row("yank-older", "then: what was cut before it", "alt+y", PromptEditor::yankOlder)));

    private EditorKeys() {}

    private static Command<PromptEditor> row(String id, String help, String keys, Consumer<PromptEditor> action) {
        return Command.of("text." + id, "", help, keys, editor -> true, action);
    }

    /** Lets the editor take a key; whether it did. */
    public static boolean handle(PromptEditor editor, Key key) {
        Command<PromptEditor> command = TABLE.find(key, editor);
        if (command != null) {
            command.action().accept(editor);
            return true;
        }
        if (key.types()) {
            editor.type(key.codePoint());
            return true;
        }
        return false;
    }
}
