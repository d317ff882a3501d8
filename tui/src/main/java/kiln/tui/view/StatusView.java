package kiln.tui.view;

import java.util.Locale;
import kiln.runtime.job.GenerationEvent;
import kiln.runtime.job.JobRecord;
import kiln.tui.command.Command;
import kiln.tui.command.CommandTable;
import kiln.tui.output.Canvas;
import kiln.tui.output.Style;
import kiln.tui.text.CellWidth;

/** The top line, the progress line and the hint line. */
final class StatusView {
    /** What of the model's name gives way to nothing. */
    private static final int MODEL_CELLS = 20;

    private StatusView() {}

    static void header(Canvas canvas, UiState state, Theme theme) {
        int right = canvas.width() - 1;
        int x = canvas.text(1, 0, 6, "Kiln", theme.strong()) + 2;
        UiModel model = state.form.model();
        String name = model != null ? model.title() + (model.demo() ? " (demo)" : "")
                : state.modelsKnown ? "no model" : "looking for models…";
        String queue = "queue " + state.jobs.unfinished();
        int room = right - x - 4 - queue.length() - Math.min(MODEL_CELLS, CellWidth.ofText(name));
        String device = DeviceText.header(state, room);
        String status = device.isEmpty() ? queue : device + "  " + queue;
        canvas.textRight(right, 0, status, theme.dim());
        canvas.text(x, 0, Math.max(0, right - CellWidth.ofText(status) - 2 - x), name, theme.plain());
    }

    static void progress(Canvas canvas, int y, UiState state, Theme theme) {
        int width = canvas.width();
        JobRecord job = state.jobs.running();
        boolean remark = state.notice != null && state.notice.isRemark();
        if (state.notice != null && !(remark && job != null)) {
            String sign = state.notice.isError() ? "! " : "";
            canvas.text(1, y, width - 2, sign + state.notice.text(), state.notice.isError() ? theme.strong() : theme.plain());
            return;
        }
        if (job == null) {
            JobRecord last = state.jobs.records().isEmpty() ? null : state.jobs.records().get(0);
            canvas.text(1, y, width - 2, last == null ? "ready" : lastLine(last, width - 2), theme.dim());
            return;
        }
        GenerationEvent.Progress progress = job.progress();
        int barCells = Math.max(8, Math.min(40, width / 4));
        double fraction = progress != null ? progress.fraction() : job.loading() != null ? job.loading().fraction() : 0;
        bar(canvas, 1, y, barCells, fraction, theme);
        if (remark) {
            canvas.text(barCells + 3, y, width - 4 - barCells, state.notice.text(), theme.plain());
            return;
        }
        String right = "";
        String text;
        if (progress == null) {
            text = job.loading() != null ? job.loading().what() : "waiting";
        } else {
            text = text(progress);
            String which = progress.pictures() > 1 ? progress.picture() + 1 + " of " + progress.pictures() + " · " : "";
            long seed = job.request().seed();
            right = which + (seed < 0 ? "" : "seed " + (seed + progress.picture()));
        }
        int x = barCells + 3;
        int rightCells = CellWidth.ofText(right);
        boolean fits = x + CellWidth.ofText(text) + 2 + rightCells < width;
        canvas.text(x, y, width - 1 - x, text, theme.plain());
        if (fits) {
            canvas.textRight(width - 1, y, right, theme.plain());
        }
    }

    private static String lastLine(JobRecord last, int cells) {
        if (last.state() != JobRecord.State.DONE || last.pictures().isEmpty()) {
            return JobStateText.word(last.state());
        }
        GenerationEvent.GeneratedPicture picture = last.pictures().get(last.pictures().size() - 1);
        String done = String.format(Locale.ROOT, "done in %.1f s  seed %d  ", last.seconds(), picture.seed());
        if (picture.file() == null) {
            return done + "not saved";
        }
        // The path's end tells more than its beginning.
        String path = picture.file().toString();
        int room = Math.max(8, cells - done.length());
        return done + (path.length() > room ? "…" + path.substring(path.length() - room + 1) : path);
    }

    private static String text(GenerationEvent.Progress p) {
        StringBuilder text = new StringBuilder();
        switch (p.phase()) {
            case ENCODING -> text.append("reading the prompt");
            case DENOISING -> text.append("step ").append(p.step()).append('/').append(p.steps());
            case DECODING -> text.append("decoding");
        }
        if (p.stepsPerSecond() > 0) {
            text.append("  ").append(DeviceText.rate(p.stepsPerSecond()));
        }
        if (p.secondsLeft() >= 0) {
            text.append("  ").append(duration(p.secondsLeft())).append(" left");
        }
        return text.toString();
    }

    private static String duration(double seconds) {
        long whole = (long) Math.ceil(seconds);
        return whole < 100 ? whole + " s" : whole / 60 + " min " + whole % 60 + " s";
    }

    private static void bar(Canvas canvas, int x, int y, int cells, double fraction, Theme theme) {
        int eighths = (int) Math.round(8 * cells * Math.max(0, Math.min(1, fraction)));
        Style style = theme.accent();
        for (int i = 0; i < cells; i++) {
            int part = Math.max(0, Math.min(8, eighths - 8 * i));
            String block = theme.eighths().substring(part, part + 1);
            boolean track = part == 0;
            canvas.put(x + i, y, track ? "·" : block, 1, track ? theme.dim() : style);
        }
    }

    static void hints(Canvas canvas, int y, UiState state, CommandTable<UiState> commands, Theme theme) {
        int x = 1;
        if (state.helpOpen) {
            canvas.text(x, y, canvas.width() - 2, "↑↓ scroll  any other key closes", theme.plain());
            return;
        }
        if (state.chooser != null) {
            canvas.text(x, y, canvas.width() - 2, "↑↓ choose  Enter take  Esc leave  letters narrow the list", theme.plain());
            return;
        }
        boolean first = true;
        boolean untried = state.jobs.records().isEmpty();
        for (Command<UiState> command : commands.hints(state)) {
            String key = command.keys().get(0).label();
            int cells = CellWidth.ofText(key) + 1 + command.title().length();
            if (x + cells >= canvas.width()) {
                break;
            }
            // On the first run the one thing to do is the only bold one.
            Style style = untried && !first ? theme.plain() : theme.bold();
            x = canvas.text(x, y, cells, key, style);
            x = canvas.text(x + 1, y, cells, command.title(), untried && first ? theme.bold() : theme.plain()) + 2;
            first = false;
        }
    }
}
