package kiln.tui.view;

import java.util.List;
import kiln.runtime.job.JobRecord;
import kiln.tui.output.Canvas;
import kiln.tui.output.Style;

/** This run's jobs, newest first, a row each: sign, prompt, duration. */
final class HistoryView {
    private HistoryView() {}

    static void draw(Canvas canvas, Rect area, UiState state, Theme theme) {
        List<JobRecord> jobs = state.jobs.records();
        boolean focused = state.focus == Focus.HISTORY;
        int first = focused ? Math.max(0, state.historyIndex - area.rows() + 1) : 0;
        for (int row = 0; row < area.rows() && first + row < jobs.size(); row++) {
            JobRecord job = jobs.get(first + row);
            int y = area.y() + row;
            boolean chosen = focused && first + row == state.historyIndex;
            if (chosen) {
                canvas.text(area.x(), y, 1, theme.focusMark(), theme.strong());
            }
            Style style = chosen ? theme.bold() : isQuiet(job) ? theme.dim() : theme.plain();
            String time = job.state() == JobRecord.State.DONE ? minutes(job.seconds()) : "";
            String prompt = job.request().prompt().replace('\n', ' ');
            boolean tellState = job.state() == JobRecord.State.CANCELLED || job.state() == JobRecord.State.FAILED;
            String line = (prompt.isBlank() ? "no prompt" : prompt) + (tellState ? " (" + JobStateText.word(job.state()) + ")" : "");
            canvas.text(area.x() + 2, y, 1, JobStateText.sign(job.state()), style);
            canvas.text(area.x() + 4, y, area.columns() - 5 - (time.isEmpty() ? 0 : time.length() + 1), line, style);
            canvas.textRight(area.right() - 1, y, time, theme.dim());
        }
        if (jobs.isEmpty() && area.rows() > 0) {
            canvas.text(area.x() + 2, area.y(), area.columns() - 3, "Pictures of this run come here.", theme.dim());
        }
    }

    private static boolean isQuiet(JobRecord job) {
        return job.state() != JobRecord.State.DONE && job.state() != JobRecord.State.RUNNING;
    }

    private static String minutes(double seconds) {
        long whole = Math.round(seconds);
        return whole / 60 + ":" + (whole % 60 < 10 ? "0" : "") + whole % 60;
    }
}
