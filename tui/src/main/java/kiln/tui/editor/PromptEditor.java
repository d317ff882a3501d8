package kiln.tui.editor;

import java.util.List;
import java.util.Objects;
import kiln.tui.editor.UndoLog.Kind;
import kiln.tui.editor.UndoLog.State;
import kiln.tui.text.WordWrap;
import kiln.tui.text.WordWrap.Line;

/**
 * A prompt being written: text, caret, undo, cut text, earlier prompts, completion. Lines for moving up and down are those of the last
 * {@link #wrap}. For one thread.
 */
public final class PromptEditor {
    private final TextBuffer buffer = new TextBuffer();
    private final UndoLog undo = new UndoLog();
    private final KillRing killed;
    private final PromptHistory history;
    private List<String> names = List.of();
    private WordWrap wrap = WordWrap.of("", 80);
    private String wrappedText = "";
    private int wrappedWidth = 80;
    private int wishedColumn = -1;
    private boolean killing;
    private int yankStart = -1;
    private long version;
    private boolean suggestion;

    public PromptEditor(KillRing killed, PromptHistory history) {
        this.killed = Objects.requireNonNull(killed, "killed");
        this.history = Objects.requireNonNull(history, "history");
    }

    public String text() {
        return buffer.text();
    }

    public int caret() {
        return buffer.caret();
    }

    /** Grows with every change of the text. */
    public long version() {
        return version;
    }

    /** The names that completion offers. */
    public void names(List<String> values) {
        names = List.copyOf(values);
    }

    /** The text in lines of {@code width} cells. */
    public WordWrap wrap(int width) {
        String text = buffer.text();
        if (width != wrappedWidth || !text.equals(wrappedText)) {
            wrappedText = text;
            wrappedWidth = width;
            wrap = WordWrap.of(text, width);
        }
        return wrap;
    }

    /** Replaces all, as one unit of undo. */
    public void replace(String text) {
        edit(Kind.WHOLE);
        buffer.set(text, text.length());
    }

    /** Inserts what nobody wrote: typing or pasting takes its place, every other key takes it over. */
    public void suggest(String text) {
        insert(text);
        suggestion = !text.isEmpty();
    }

    /** Whether the text is still a suggestion. */
    public boolean isSuggestion() {
        return suggestion;
    }

    private void dropSuggestion() {
        if (suggestion) {
            replace("");
        }
    }

    public void type(int codePoint) {
        dropSuggestion();
        if (Character.isWhitespace(codePoint)) {
            undo.breakUnit();
        }
        edit(Kind.TYPING);
        buffer.insert(Character.toString(codePoint));
    }

    /** Inserts a paste or a completion, as one unit of undo. */
    public void insert(String text) {
        if (!text.isEmpty()) {
            dropSuggestion();
            edit(Kind.WHOLE);
            buffer.insert(text);
        }
    }

    public void deleteBefore() {
        delete(buffer.before(), buffer.caret());
    }

    public void deleteAfter() {
        delete(buffer.caret(), buffer.after());
    }

    private void delete(int start, int end) {
        if (start < end) {
            edit(Kind.DELETING);
            buffer.delete(start, end);
        }
    }

    public void killToLineEnd() {
        int end = buffer.lineEnd();
        kill(buffer.caret(), end == buffer.caret() ? Math.min(buffer.length(), end + 1) : end);
    }

    public void killToLineStart() {
        kill(buffer.lineStart(), buffer.caret());
    }

    public void killBlankWord() {
        kill(buffer.blankStart(), buffer.caret());
    }

    public void killWordBefore() {
        kill(buffer.wordStart(), buffer.caret());
    }

    public void killWordAfter() {
        kill(buffer.caret(), buffer.wordEnd());
    }

    private void kill(int start, int end) {
        if (start == end) {
            return;
        }
        boolean before = end == buffer.caret();
        boolean inRow = killing;
        edit(Kind.WHOLE);
        String removed = buffer.delete(start, end);
        if (inRow) {
            killed.extend(removed, before);
        } else {
            killed.add(removed);
        }
        killing = true;
    }

    public void yank() {
        String text = killed.newest();
        insert(text);
        int start = buffer.caret() - text.length();
        yankStart = text.isEmpty() ? -1 : start;
    }

    /** Right after a yank, puts the entry before in its place. */
    public void yankOlder() {
        if (yankStart < 0) {
            return;
        }
        int start = yankStart;
        edit(Kind.WHOLE);
        buffer.delete(start, buffer.caret());
        buffer.insert(killed.rotate());
        yankStart = start;
    }

    public void left() {
        move(buffer.before());
    }

    public void right() {
        move(buffer.after());
    }

    public void wordLeft() {
        move(buffer.wordStart());
    }

    public void wordRight() {
        move(buffer.wordEnd());
    }

    public void toStart() {
        move(0);
    }

    public void toEnd() {
        move(buffer.length());
    }

    /** To the start of the line on the screen. */
    public void lineStart() {
        move(wrap(wrappedWidth).lines().get(wrap.lineOf(buffer.caret())).start());
    }

    public void lineEnd() {
        Line line = wrap(wrappedWidth).lines().get(wrap.lineOf(buffer.caret()));
        move(WordWrap.indexAt(buffer.text(), line, Integer.MAX_VALUE));
    }

    private void move(int index) {
        buffer.caret(index);
        wishedColumn = -1;
        endRow();
        undo.breakUnit();
    }

    private void endRow() {
        suggestion = false;
        killing = false;
        yankStart = -1;
    }

    /** A line up; from the first line, to the prompt used before. */
    public void up() {
        suggestion = false;
        if (!vertical(-1)) {
            recall(history.older(buffer.text()));
        }
    }

    /** A line down; from the last line, to the prompt used after, at last to what was being written. */
    public void down() {
        suggestion = false;
        if (!vertical(1)) {
            recall(history.newer());
        }
    }

    private boolean vertical(int lines) {
        WordWrap now = wrap(wrappedWidth);
        int from = now.lineOf(buffer.caret());
        int to = from + lines;
        if (to < 0 || to >= now.lines().size()) {
            return false;
        }
        String text = buffer.text();
        int column = wishedColumn >= 0 ? wishedColumn : WordWrap.column(text, now.lines().get(from), buffer.caret());
        move(WordWrap.indexAt(text, now.lines().get(to), column));
        wishedColumn = column;
        return true;
    }

    private void recall(String prompt) {
        if (prompt != null) {
            replace(prompt);
        }
    }

    public void raiseWeight() {
        weight(true);
    }

    public void lowerWeight() {
        weight(false);
    }

    private void weight(boolean up) {
        WordWeight.Result result = WordWeight.change(buffer.text(), buffer.caret(), up);
        if (result != null) {
            edit(Kind.WHOLE);
            buffer.set(result.text(), result.caret());
        }
    }

    public void undo() {
        restore(undo.undo(state()));
    }

    public void redo() {
        restore(undo.redo(state()));
    }

    private void restore(State state) {
        endRow();
        if (state != null) {
            buffer.set(state.text(), state.caret());
            version++;
        }
    }

    /** What may be completed at the caret, or {@code null}. */
    public Completion completion() {
        return Completion.find(buffer.text(), buffer.caret(), names);
    }

    /** Inserts the first candidate's rest; whether there was one. */
    public boolean complete() {
        Completion completion = completion();
        if (completion == null) {
            return false;
        }
        suggestion = false;
        insert(completion.rest());
        return true;
    }

    private State state() {
        return new State(buffer.text(), buffer.caret());
    }

    private void edit(Kind kind) {
        undo.before(kind, state());
        wishedColumn = -1;
        endRow();
        version++;
    }
}
