package kiln.tui.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import kiln.runtime.GenerationEvent;
import kiln.runtime.GenerationEvent.GeneratedPicture;

/** Tells a person or a program what becomes of a job. Called on the engine's thread, {@link #end} on the command's after the last event. */
final class Txt2imgReport implements Consumer<GenerationEvent> {
    private final CliContext context;
    private final OutputTarget target;
    private final boolean json;
    private final ProgressLine progress;
    private final List<GeneratedPicture> pictures = new ArrayList<>();
    private final List<Path> files = new ArrayList<>();
    private double seconds;

    Txt2imgReport(CliContext context, OutputTarget target, boolean json) {
        this.context = context;
        this.target = target;
        this.json = json;
        progress = context.errIsTty() ? new ProgressLine(context.err(), context.columns()) : null;
    }

    @Override
    public void accept(GenerationEvent event) {
        if (event instanceof GenerationEvent.Finished finished) {
            seconds = finished.seconds();
        } else if (event instanceof GenerationEvent.PictureDone done) {
            GeneratedPicture picture = done.picture();
            Path file = target.place(picture);
            pictures.add(picture);
            files.add(file);
            if (progress != null) {
                progress.clear();
            }
            if (!json) {
                context.out().println(file);
            }
        } else if (progress != null) {
            progress.show(event);
        }
    }

    /** Removes the bar and, with {@code --json}, writes what was made, also of a job that failed or was cancelled. */
    void end() {
        if (progress != null) {
            progress.clear();
        }
        if (!json) {
            return;
        }
        Json.print(context.out(), out -> {
            out.writeStartObject();
            out.writeArrayFieldStart("files");
            for (Path file : files) {
                out.writeString(file.toString());
            }
            out.writeEndArray();
            out.writeArrayFieldStart("seeds");
            for (GeneratedPicture picture : pictures) {
                out.writeNumber(picture.seed());
            }
            out.writeEndArray();
            out.writeArrayFieldStart("infotexts");
            for (GeneratedPicture picture : pictures) {
                out.writeString(picture.infoText());
            }
            out.writeEndArray();
            out.writeNumberField("seconds", seconds);
            out.writeEndObject();
        });
    }
}
