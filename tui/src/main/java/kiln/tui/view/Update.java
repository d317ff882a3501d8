package kiln.tui.view;

import kiln.runtime.base.KilnException;
import kiln.runtime.job.GenerationEvent;
import kiln.tui.command.Command;
import kiln.tui.command.CommandTable;
import kiln.tui.editor.EditorKeys;
import kiln.tui.input.InputEvent;
import kiln.tui.input.InputEvent.Key;
import kiln.tui.input.KeyName;

/** What messages do to the state. */
final class Update {
    private final UiState state;
    private final Actions actions;
    private final Results results;
    private final CommandTable<UiState> commands;

    Update(UiState state, Effects effects) {
        this.state = state;
        actions = new Actions(state, effects);
        results = new Results(state, effects, actions);
        commands = UiCommands.table(actions);
    }

    CommandTable<UiState> commands() {
        return commands;
    }

    void accept(Message message) {
        try {
            if (message instanceof Message.Input input) {
                input(input.event());
            } else if (message instanceof Message.Job job) {
                job(job);
            } else if (message instanceof Message.Result result) {
                results.accept(result);
                if (state.ready && state.generateWhenReady) {
                    actions.generate();
                }
            } else if (message instanceof Message.HungUp) {
                state.quitting = true;
            }
        } catch (KilnException e) {
            state.error(e.getMessage());
        }
    }

    private void job(Message.Job message) {
        if (message.event() instanceof GenerationEvent.Device device) {
            state.use = device.use();
        } else if (message.event() instanceof GenerationEvent.Notice notice && isNew(message.id(), notice)) {
            state.remark(notice.text());
        }
        boolean known = state.jobs.accept(message.id(), message.event()).isPresent();
        if (message.event() instanceof GenerationEvent.Failed failed && known) {
            state.error(failed.message());
        }
        boolean selectionMoves = message.event() instanceof GenerationEvent.Started;
        if (selectionMoves && state.jobs.records().size() <= state.historyIndex) {
            state.historyIndex = 0;
        }
    }

    private boolean isNew(long job, GenerationEvent.Notice notice) {
        return state.jobs.records().stream().noneMatch(record -> record.id() == job && record.notices().contains(notice.text()));
    }

    private void input(InputEvent event) {
        if (state.notice != null && state.notice.isRemark() && (event instanceof Key || event instanceof InputEvent.Paste)) {
            state.notice = null;
        }
        if (event instanceof InputEvent.Paste paste) {
            if (state.isPlain()) {
                if (!state.isEditing()) {
                    state.focus = Focus.PROMPT;
                }
                actions.paste(paste.text());
            }
        } else if (event instanceof Key key) {
            boolean interrupt = key.equals(Key.parse("ctrl+c"));
            if (!interrupt) {
                state.cancelPressed = 0;
            }
            if (state.helpOpen && !interrupt) {
                helpKey(key);
            } else if (state.chooser != null && !interrupt) {
                chooserKey(key);
            } else {
                key(key);
            }
        }
    }

    private void key(Key key) {
        Command<UiState> command = commands.find(key, state);
        if (command != null) {
            command.action().accept(state);
        } else if (state.isEditing()) {
            EditorKeys.handle(state.editor(), key);
        } else if (state.focus == Focus.PARAMETERS) {
            fieldKey(key);
        } else if (key.types()) {
            state.focus = Focus.PROMPT;
            state.prompt.type(key.codePoint());
        }
    }

    private void fieldKey(Key key) {
        if (!key.types()) {
            return;
        }
        Parameter field = state.form.selected();
        boolean digit = key.codePoint() >= '0' && key.codePoint() <= '9' || key.codePoint() == '.' || key.codePoint() == '-';
        if (field.isNumber() && digit) {
            state.form.type((char) key.codePoint());
        } else if (field.hasList() && !field.isNumber()) {
            actions.enterField();
            if (state.chooser != null) {
                state.chooser.type(key.codePoint());
            }
        }
    }

    private void chooserKey(Key key) {
        switch (key.name()) {
            case UP -> state.chooser.move(-1);
            case DOWN, TAB -> state.chooser.move(1);
            case PAGE_UP -> state.chooser.move(-10);
            case PAGE_DOWN -> state.chooser.move(10);
            case ENTER -> actions.choose();
            case ESCAPE, LEFT -> state.chooser = null;
            case BACKSPACE -> state.chooser.deleteTyped();
            default -> {
                if (key.types()) {
                    state.chooser.type(key.codePoint());
                } else if (key.ctrl()) {
                    state.chooser = null;
                    key(key);
                }
            }
        }
    }

    private void helpKey(Key key) {
        if (key.name() == KeyName.DOWN || key.name() == KeyName.PAGE_DOWN) {
            state.helpScroll += key.name() == KeyName.DOWN ? 1 : 10;
        } else if (key.name() == KeyName.UP || key.name() == KeyName.PAGE_UP) {
            state.helpScroll = Math.max(0, state.helpScroll - (key.name() == KeyName.UP ? 1 : 10));
        } else {
            state.helpOpen = false;
        }
    }
}
