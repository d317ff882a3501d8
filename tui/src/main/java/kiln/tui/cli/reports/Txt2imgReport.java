package kiln.tui.cli.reports;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Consumer;
import kiln.runtime.base.DeviceUse;
import kiln.runtime.check.Bench;
import kiln.runtime.image.PictureEncoding;
import kiln.runtime.image.PictureWriter;
import kiln.runtime.job.GenerationEvent;
import kiln.runtime.job.GenerationEvent.GeneratedPicture;
import kiln.tui.cli.base.CliContext;
import kiln.tui.cli.base.Json;
import kiln.tui.cli.base.Quantities;

/** Tells a person or a program what becomes of a job. Called on the engine's thread, {@link #end} on the command's after the last event. */
public final class Txt2imgReport implements Consumer<GenerationEvent> {
    /** What is kept of a picture: many of them would fill the memory. */
    private record Made(long seed, String infoText) {}

    private final CliContext context;
    private final OutputTarget target;
    private final PictureEncoding encoding;
    private final boolean json;
    private final boolean summary;
    private final ProgressLine progress;
    private final List<Made> made = new ArrayList<>();
    private final List<Path> files = new ArrayList<>();
    private final List<Path> grids = new ArrayList<>();
    private final Set<String> notices = new LinkedHashSet<>();
    private DeviceUse use;
    private double stepsPerSecond;
    private double seconds;

    /** @param verbose whether the summary is wanted even where nobody watches the error stream */
    public Txt2imgReport(CliContext context, OutputTarget target, boolean json, boolean verbose) {
        this(context, target, PictureEncoding.PNG, json, verbose, true);
    }

    /**
     * @param encoding of a picture that goes to the standard output
     * @param bar whether a terminal shows the progress
     */
    public Txt2imgReport(
            CliContext context, OutputTarget target, PictureEncoding encoding, boolean json, boolean verbose, boolean bar) {
        this.context = context;
        this.target = target;
        this.encoding = encoding;
        this.json = json;
        summary = verbose || context.errIsTty();
        progress = bar && context.errIsTty() ? new ProgressLine(context.err(), context.columns()) : null;
    }

    @Override
    public void accept(GenerationEvent event) {
        if (event instanceof GenerationEvent.Finished finished) {
            seconds += finished.seconds();
        } else if (event instanceof GenerationEvent.Device device) {
            use = device.use();
        } else if (event instanceof GenerationEvent.Notice notice) {
            if (notices.add(notice.text())) {
                clearProgress();
                context.err().println("kiln: " + notice.text());
            }
        } else if (event instanceof GenerationEvent.GridDone done) {
            Path file = target.placeGrid(done.file());
            grids.add(file);
            clearProgress();
            if (summary) {
                context.err().println("kiln: the grid of them is " + file);
            }
        } else if (event instanceof GenerationEvent.PictureDone done) {
            GeneratedPicture picture = done.picture();
            Path file = target.place(picture);
            made.add(new Made(picture.seed(), picture.infoText()));
            files.add(file);
            clearProgress();
            if (target.isStandardOutput()) {
                byte[] bytes = PictureWriter.encode(picture.image(), picture.infoText(), encoding(picture));
                context.out().write(bytes, 0, bytes.length);
            } else if (!json) {
                context.out().println(file);
            }
        } else {
            if (event instanceof GenerationEvent.Progress at && at.stepsPerSecond() > 0) {
                stepsPerSecond = at.stepsPerSecond();
            }
            if (progress != null) {
                progress.show(event);
            }
        }
    }

    private PictureEncoding encoding(GeneratedPicture picture) {
        String refusal = PictureWriter.refusal(encoding, picture.image().width(), picture.image().height(), picture.infoText());
        if (refusal == null) {
            return encoding;
        }
        context.err().println("kiln: " + refusal);
        return PictureEncoding.PNG;
    }

    private void clearProgress() {
        if (progress != null) {
            progress.clear();
        }
    }

    /**
     * Removes the bar, says what the job took and, with {@code --json}, writes what was made, also of a job that failed or was cancelled.
     *
     * @param device what computed, for people; empty when no model could be loaded
     */
    public void end(String device) {
        clearProgress();
        if (summary && seconds > 0) {
            summarise(device);
        }
        if (json) {
            Json.print(context.out(), out -> write(out, device));
        }
    }

    private void summarise(String device) {
        StringBuilder line = new StringBuilder("kiln: ")
                .append(Quantities.count(made.size(), "picture"))
                .append(String.format(Locale.ROOT, " in %.1f s", seconds));
        if (stepsPerSecond > 0) {
            line.append(", ").append(ProgressLine.rate(stepsPerSecond));
        }
        context.err().println(line.append(" on ").append(device));
        if (use == null) {
            long peak = Bench.peakResidentBytes();
            if (peak > 0) {
                context.err().println("kiln: memory " + Quantities.bytes(peak) + " peak");
            }
        } else {
            context.err().println("kiln: VRAM " + use.memoryText() + (use.residency().isEmpty() ? "" : ", " + use.residency()));
        }
    }

    private void write(JsonGenerator out, String device) throws IOException {
        out.writeStartObject();
        out.writeArrayFieldStart("files");
        for (Path file : files) {
            out.writeString(file.toString());
        }
        out.writeEndArray();
        out.writeArrayFieldStart("seeds");
        for (Made picture : made) {
            out.writeNumber(picture.seed());
        }
        out.writeEndArray();
        out.writeArrayFieldStart("infotexts");
        for (Made picture : made) {
            out.writeString(picture.infoText());
        }
        out.writeEndArray();
        out.writeArrayFieldStart("grids");
        for (Path grid : grids) {
            out.writeString(grid.toString());
        }
        out.writeEndArray();
        out.writeNumberField("seconds", seconds);
        out.writeNumberField("stepsPerSecond", stepsPerSecond);
        out.writeFieldName("device");
        DeviceJson.write(out, device, use);
        out.writeArrayFieldStart("notices");
        for (String notice : notices) {
            out.writeString(notice);
        }
        out.writeEndArray();
        out.writeEndObject();
    }
}
