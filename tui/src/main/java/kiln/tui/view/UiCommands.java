package kiln.tui.view;

import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;
import kiln.tui.command.Command;
import kiln.tui.command.CommandTable;
import kiln.tui.editor.Completion;

/** The screen's commands. The hint line shows those with a title, in this order, while their context holds. */
final class UiCommands {
    private static final Predicate<UiState> ALWAYS = state -> true;
    private static final Predicate<UiState> EDITOR = UiState::isEditing;
    private static final Predicate<UiState> FIELD = state -> state.focus == Focus.PARAMETERS;
    private static final Predicate<UiState> HISTORY = state -> state.focus == Focus.HISTORY;
    private static final Predicate<UiState> NOT_EDITOR = EDITOR.negate();

    private UiCommands() {}

    static CommandTable<UiState> table(Actions actions) {
        return new CommandTable<>(List.of(
                row("all.generate", "generate", "draw the prompt", "ctrl+g f5 ctrl+enter", ALWAYS, s -> actions.generate()),
                row("text.generate", "", "draw the prompt", "enter", EDITOR, s -> actions.generate()),
                row("all.cancel", "cancel", "cancel the running job; twice: quit", "ctrl+c", UiCommands::isBusy, s -> actions.cancelOrQuit()),
                row("all.interrupt", "", "cancel the running job; twice: quit", "ctrl+c", ALWAYS, s -> actions.cancelOrQuit()),
                row("text.complete", "complete", "take the completion", "tab", UiCommands::canComplete, s -> s.editor().complete()),
                row("history.take", "take settings", "the settings to the fields", "enter", HISTORY, s -> actions.takeSettings(false)),
                row("history.take-seed", "with seed", "the settings and the seed", "s", HISTORY, s -> actions.takeSettings(true)),
                row("history.up", "", "a newer picture", "up", HISTORY, s -> actions.moveHistory(-1)),
                row("history.down", "", "an older picture", "down", HISTORY, s -> actions.moveHistory(1)),
                row("field.less", "less", "a step less; the list's entry before", "left", FIELD, s -> actions.stepField(-1)),
                row("field.more", "more", "a step more; the list's next entry", "right", FIELD, s -> actions.stepField(1)),
                row("field.list", "list", "open the list", "enter", UiCommands::hasList, s -> actions.enterField()),
                row("field.enter", "", "take what was typed", "enter", FIELD, s -> actions.enterField()),
                row("field.default", "default", "the model's own value", "r", UiCommands::isChanged, s -> actions.resetField()),
                row("field.up", "", "the field before", "up", FIELD, s -> actions.moveField(-1)),
                row("field.down", "", "the next field", "down", FIELD, s -> actions.moveField(1)),
                row("field.delete", "", "delete the last digit", "backspace", FIELD, s -> s.form.deleteTyped()),
                row("all.next", "next field", "to the next field", "tab", ALWAYS, s -> actions.nextFocus(1)),
                row("all.back", "", "to the field before", "shift+tab", ALWAYS, s -> actions.nextFocus(-1)),
                row("all.again", "again", "the last request again, same seed", "ctrl+r", UiCommands::hasJobs, s -> actions.again()),
                row("all.parameters", "", "settings from the parameters in the prompt; an empty one: the last picture's", "ctrl+o", ALWAYS,
                        s -> actions.useParameters()),
                row("all.escape", "", "back to the prompt", "escape", ALWAYS, s -> actions.escape()),
                row("field.help", "keys", "this overview", "?", NOT_EDITOR, s -> actions.help()),
                row("all.help", "keys", "this overview", "f1 alt+h", EDITOR, s -> actions.help()),
                row("all.help-elsewhere", "", "this overview", "f1 alt+h", NOT_EDITOR, s -> actions.help()),
                row("all.redraw", "", "draw the screen anew", "ctrl+l", ALWAYS, s -> actions.redraw()),
                row("all.suspend", "", "back to the shell, fg returns", "ctrl+z", ALWAYS, s -> actions.suspend()),
                row("all.quit", "quit", "end Kiln", "ctrl+q", ALWAYS, s -> actions.quit())));
    }

    private static Command<UiState> row(
            String id, String title, String help, String keys, Predicate<UiState> context, Consumer<UiState> action) {
        return Command.of(id, title, help, keys, context, action);
    }

    private static boolean isBusy(UiState state) {
        return state.jobs.running() != null;
    }

    private static boolean hasJobs(UiState state) {
        return !state.jobs.records().isEmpty();
    }

    private static boolean canComplete(UiState state) {
        Completion completion = state.isEditing() ? state.editor().completion() : null;
        return completion != null;
    }

    private static boolean hasList(UiState state) {
        return FIELD.test(state) && state.form.selected().hasList() && state.form.entry() == null;
    }

    private static boolean isChanged(UiState state) {
        return FIELD.test(state) && state.form.isChanged(state.form.selected());
    }
}
