package kiln.tui.view;

import java.util.Optional;
import kiln.runtime.base.DeviceUse;
import kiln.runtime.job.JobRecord;
import kiln.tui.editor.KillRing;
import kiln.tui.editor.PromptEditor;
import kiln.tui.editor.PromptHistory;

/** Everything that the screen shows. Belongs to the screen's thread; {@link Actions} changes it, {@link CreateView} draws it. */
final class UiState {
    final PromptHistory promptHistory = new PromptHistory();
    final PromptEditor prompt;
    final PromptEditor negative;
    final ParameterForm form = new ParameterForm();
    final Jobs jobs = new Jobs();

    Focus focus = Focus.PROMPT;
    /** Which of the history's entries is chosen. */
    int historyIndex;
    Chooser chooser;
    boolean helpOpen;
    int helpScroll;
    Notice notice;
    /** When ^C was last pressed, 0 when not lately. */
    long cancelPressed;
    boolean quitting;

    /** Whether the folders have been searched for models. */
    boolean modelsKnown;
    /** Whether the model's presets have been read, or cannot be. */
    boolean ready;
    /** The person wants a picture as soon as that is so. */
    boolean generateWhenReady;
    /** How many things the model names; 0 when it names none. */
    int drawableThings;

    String promptTokens = "";
    String negativeTokens = "";
    String device = "";
    /** The host's, in use and there. */
    String memory = "";
    /** The card as it was last seen; {@code null} while there is none. It may be one that no longer computes. */
    DeviceUse use;

    UiState() {
        KillRing killed = new KillRing();
        prompt = new PromptEditor(killed, promptHistory);
        negative = new PromptEditor(killed, new PromptHistory());
    }

    boolean isEditing() {
        return focus == Focus.PROMPT || focus == Focus.NEGATIVE;
    }

    PromptEditor editor() {
        return focus == Focus.NEGATIVE ? negative : prompt;
    }

    /** No list or overlay lies over the screen. */
    boolean isPlain() {
        return chooser == null && !helpOpen;
    }

    /** The chosen job of the history, {@code null} when there is none. */
    JobRecord chosenJob() {
        return historyIndex < jobs.records().size() ? jobs.records().get(historyIndex) : null;
    }

    /** The job whose picture is shown. */
    JobRecord shownJob() {
        if (focus == Focus.HISTORY && chosenJob() != null) {
            return chosenJob();
        }
        JobRecord running = jobs.running();
        if (running != null && jobs.picture(running) != null) {
            return running;
        }
        return jobs.records().stream()
                .filter(job -> jobs.picture(job) != null)
                .findFirst()
                .or(() -> Optional.ofNullable(running))
                .or(() -> jobs.records().stream().findFirst().filter(job -> job.state() == JobRecord.State.FAILED))
                .orElse(null);
    }

    void error(String text) {
        notice = Notice.error(text);
    }

    /** Shows a remark, behind those that nobody has had the time to read; an error goes before. */
    void remark(String text) {
        if (notice == null || !notice.isError()) {
            notice = Notice.remark(notice != null && notice.isRemark() ? notice.text() + " · " + text : text);
        }
    }
}
