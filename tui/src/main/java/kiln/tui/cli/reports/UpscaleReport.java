package kiln.tui.cli.reports;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.DoubleConsumer;
import kiln.runtime.base.KilnException;
import kiln.runtime.job.GenerationEvent;
import kiln.tui.cli.base.CliContext;
import kiln.tui.cli.base.Json;
import kiln.tui.cli.base.Quantities;

/** Tells a person or a program what becomes of pictures that are made larger. */
public final class UpscaleReport {
    private final CliContext context;
    private final int count;
    private final boolean json;
    private final ProgressLine progress;
    private final long begin = System.nanoTime();
    private final List<Row> rows = new ArrayList<>();
    private final Set<String> notices = new LinkedHashSet<>();
    private KilnException failure;

    private record Row(Path source, Path file, String error) {}

    /** @param count of pictures */
    public UpscaleReport(CliContext context, int count, boolean json) {
        this.context = context;
        this.count = count;
        this.json = json;
        progress = context.errIsTty() ? new ProgressLine(context.err(), context.columns()) : null;
    }

    /** Draws a bar where a person watches. */
    public DoubleConsumer progress(Path source) {
        String number = count == 1 ? "" : " (" + (rows.size() + 1) + "/" + count + ")";
        String what = "upscaling " + source.getFileName() + number;
        return fraction -> {
            if (progress != null) {
                progress.show(new GenerationEvent.Loading(what, fraction));
            }
        };
    }

    public void notice(String text) {
        if (notices.add(text)) {
            clearProgress();
            context.err().println("kiln: " + text);
        }
    }

    public void done(Path source, Path file) {
        rows.add(new Row(source, file, null));
        clearProgress();
        if (!json) {
            context.out().println(file);
        }
    }

    /** One of several could not be made larger; the others go on. */
    public void failed(Path source, KilnException e) {
        rows.add(new Row(source, null, e.getMessage()));
        failure = failure == null ? e : failure;
        clearProgress();
        context.err().println("kiln: " + e.getMessage());
    }

    private void clearProgress() {
        if (progress != null) {
            progress.clear();
        }
    }

    /** @param device what computed; empty when nothing had to */
    public void end(String upscaler, String device) {
        double seconds = (System.nanoTime() - begin) / 1e9;
        if (context.errIsTty()) {
            long made = rows.stream().filter(row -> row.file != null).count();
            context.err().println("kiln: " + Quantities.count((int) made, "picture") + String.format(Locale.ROOT, " in %.1f s", seconds)
                    + (device.isEmpty() ? "" : " on " + device));
        }
        if (json) {
            Json.print(context.out(), out -> {
                out.writeStartObject();
                out.writeArrayFieldStart("files");
                for (Row row : rows) {
                    out.writeStartObject();
                    out.writeStringField("source", row.source.toString());
                    out.writeStringField("file", row.file == null ? null : row.file.toString());
                    out.writeStringField("error", row.error);
                    out.writeEndObject();
                }
                out.writeEndArray();
                out.writeStringField("upscaler", upscaler);
                out.writeNumberField("seconds", seconds);
                out.writeStringField("device", device.isEmpty() ? null : device);
                out.writeArrayFieldStart("notices");
                for (String notice : notices) {
                    out.writeString(notice);
                }
                out.writeEndArray();
                out.writeEndObject();
            });
        }
    }

    /** Of the first failure, 0 when there was none. */
    public int exitCode() {
        return failure == null ? 0 : failure.category().exitCode();
    }
}
