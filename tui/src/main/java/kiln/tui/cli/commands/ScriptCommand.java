package kiln.tui.cli.commands;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import kiln.runtime.base.KilnException;
import kiln.runtime.engine.Engine;
import kiln.runtime.engine.GenerationJob;
import kiln.runtime.engine.LastParameters;
import kiln.runtime.engine.ModelPresets;
import kiln.runtime.engine.Models;
import kiln.runtime.image.PictureEncoding;
import kiln.runtime.job.GenerationEvent;
import kiln.runtime.job.GenerationEvent.GeneratedPicture;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.script.Axis;
import kiln.runtime.text.Styles;
import kiln.tui.cli.base.CliContext;
import kiln.tui.cli.base.Quantities;
import kiln.tui.cli.options.DeviceFlags;
import kiln.tui.cli.options.HiresOptions;
import kiln.tui.cli.options.PictureOptions;
import kiln.tui.cli.options.Places;
import kiln.tui.cli.options.StyleOptions;
import kiln.tui.cli.reports.OutputTarget;
import kiln.tui.cli.reports.Txt2imgReport;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** A command that makes many requests of one. */
abstract class ScriptCommand extends CliCommand {
    /** A1111 draws random seeds from 0 to this, exclusive. */
    private static final long SEEDS = 4_294_967_294L;

    private static final int SHOWN = 80;

    @ArgGroup(validate = false, heading = "%nPicture:%n", order = 1)
    PictureOptions picture = new PictureOptions();

    @ArgGroup(validate = false, heading = "%nStyles:%n", order = 2)
    StyleOptions style = new StyleOptions();

    @ArgGroup(validate = false, heading = "%nA second pass:%n", order = 3)
    HiresOptions hires = new HiresOptions();

    @ArgGroup(validate = false, heading = "%nGraphics card:%n", order = 80)
    DeviceFlags device = new DeviceFlags();

    @Option(names = "--dry-run", description = "List the jobs, a line each, and draw nothing.")
    boolean dryRun;

    @Option(names = "--verbose", description = "Say device, memory and speed on the error stream, as on a terminal.")
    boolean verbose;

    private Places places;

    ScriptCommand(CliContext context) {
        super(context);
    }

    /** What one job is for. */
    record Task(String name, GenerationRequest request) {}

    Places places() {
        if (places == null) {
            places = global.places(context);
        }
        return places;
    }

    /** Where names of models and styles are looked up. */
    Axis.Names names(Models models) {
        Styles styles = global.styles(places());
        return new Axis.Names(
                name -> models.find(name).map(Models.Entry::path).orElseThrow(
                        () -> new KilnException(
                                KilnException.Category.NOT_FOUND, "no model is called \"" + name + "\" (kiln models lists them)")),
                styles);
    }

    static long randomSeed() {
        return ThreadLocalRandom.current().nextLong(SEEDS);
    }

    /** What the options ask for, on top of the model's presets and the folder's defaults. */
    GenerationRequest base(Models models) {
        Path model = models.defaultModel();
        GenerationRequest.Builder request =
                request(models.presets(model), places().webUi().requestDefaults("txt2img")).toBuilder().model(model);
        hires.apply(request);
        style.apply(request, global.styles(places()), global.infoTextStyles(places()), picture.isLike());
        return request.build();
    }

    abstract GenerationRequest request(ModelPresets presets, GenerationRequest defaults);

    /** The jobs in words. */
    void list(List<Task> tasks) {
        int number = 0;
        for (Task task : tasks) {
            GenerationRequest request = task.request;
            context.out().println(++number + "\t" + (task.name.isEmpty() ? "" : Quantities.printable(task.name, SHOWN) + "\t")
                    + "seed " + request.seed() + ", " + request.sampler() + ", " + request.steps() + " steps, " + request.width() + "x"
                    + request.height() + "\t" + Quantities.printable(request.prompt(), SHOWN));
        }
    }

    /**
     * Draws all, one after the other, and tells each picture.
     *
     * @param done gets each job's pictures; {@code null} when nobody needs them, so that they are not kept
     * @throws KilnException when one fails or the person cancels
     */
    void draw(List<Task> tasks, Engine engine, Consumer<List<GeneratedPicture>> done) {
        OutputTarget target = OutputTarget.of(null, places().webUi().txt2imgFolder());
        target.prepare();
        Txt2imgReport report = new Txt2imgReport(
                context, target, PictureEncoding.PNG, false, verbose, global.progressBar());
        try {
            for (Task task : tasks) {
                List<GeneratedPicture> pictures = new ArrayList<>();
                GenerationJob job = engine.submit(task.request, new LastParameters(places().parametersFile()).keepFrom(event -> {
                    if (done != null && event instanceof GenerationEvent.PictureDone picture) {
                        pictures.add(picture.picture());
                    }
                    report.accept(event);
                }));
                context.cancellation().calls(job::cancel);
                GenerationEvent last = job.await();
                if (last instanceof GenerationEvent.Failed failed) {
                    throw failed.toException();
                }
                if (last instanceof GenerationEvent.Cancelled) {
                    throw KilnException.cancelled();
                }
                if (done != null) {
                    done.accept(pictures);
                }
            }
        } finally {
            report.end(engine.device());
        }
    }
}
