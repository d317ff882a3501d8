package kiln.tui.view;

import java.util.List;
import kiln.runtime.image.Picture;
import kiln.runtime.job.JobRecord;
import kiln.tui.output.Canvas;
import kiln.tui.picture.CellPicture;
import kiln.tui.text.WordWrap;

/** The large picture, or what to do to get one. */
final class PictureView {
    private final CellPicture cells = new CellPicture();

    void draw(Canvas canvas, Rect area, UiState state, Theme theme) {
        if (area.isEmpty()) {
            return;
        }
        JobRecord job = state.shownJob();
        Picture picture = job == null ? null : state.jobs.picture(job);
        if (picture != null) {
            int width = job.request().width();
            int height = job.request().height();
            int rows = area.rows() - (state.focus == Focus.HISTORY ? notices(canvas, area, job, theme) : 0);
            cells.draw(canvas, area.x(), area.y(), area.columns(), rows, picture, width, height, theme.pictures());
            return;
        }
        String text = job != null && job.state() == JobRecord.State.FAILED
                ? job.error()
                : job != null && job.state().isOver() ? "No picture: " + JobStateText.word(job.state()) + "." : advice(state, job);
        int width = Math.max(1, Math.min(area.columns() - 2, 52));
        List<WordWrap.Line> lines = WordWrap.of(text, width).lines();
        int rows = Math.min(area.rows(), lines.size());
        int x = area.x() + (area.columns() - width) / 2;
        draw(canvas, new Rect(x, area.y() + (area.rows() - rows) / 2, width, rows), text, lines, theme);
    }

    private static void draw(Canvas canvas, Rect at, String text, List<WordWrap.Line> lines, Theme theme) {
        for (int i = 0; i < at.rows(); i++) {
            String line = text.substring(lines.get(i).start(), lines.get(i).end()).stripTrailing();
            canvas.text(at.x(), at.y() + i, at.columns(), line, theme.dim());
        }
    }

    /** What a chosen job told on its way, at the area's bottom. @return the rows that it takes */
    private static int notices(Canvas canvas, Rect area, JobRecord job, Theme theme) {
        String text = String.join("\n", job.notices());
        if (text.isEmpty()) {
            return 0;
        }
        int width = Math.max(1, area.columns() - 2);
        List<WordWrap.Line> lines = WordWrap.of(text, width).lines();
        int rows = Math.min(lines.size(), area.rows() / 2);
        draw(canvas, new Rect(area.x() + 1, area.bottom() - rows, width, rows), text, lines, theme);
        return rows;
    }

    private static String advice(UiState state, JobRecord waiting) {
        if (waiting != null) {
            return "The picture forms here.";
        }
        UiModel model = state.form.model();
        if (model == null) {
            return state.modelsKnown
                    ? "No model found.\nPut a .safetensors or .ckpt file into models/Stable-diffusion, or start with --ckpt FILE."
                    : "";
        }
        String start = "Write what to draw, then press ^G.";
        if (!model.demo()) {
            return start + "\nTab goes to the fields, F1 shows all keys.";
        }
        String count = state.drawableThings > 0 ? state.drawableThings + " emoji things" : "emoji things";
        return start + "\n\nThis is the demo model: it draws " + count + " as \"flat\" or \"3d\", on a background of any of its colours. "
                + "Begin a word and Tab completes it.\n\nAdd a real model with --ckpt FILE, or put it into models/Stable-diffusion.";
    }
}
