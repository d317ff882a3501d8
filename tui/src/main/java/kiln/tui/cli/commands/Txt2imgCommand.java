package kiln.tui.cli.commands;

import java.nio.file.Path;
import java.util.List;
import kiln.runtime.base.KilnException;
import kiln.runtime.engine.Engine;
import kiln.runtime.engine.GenerationJob;
import kiln.runtime.engine.LastParameters;
import kiln.runtime.engine.ModelPresets;
import kiln.runtime.job.GenerationEvent;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.job.Setting;
import kiln.tui.cli.base.CliContext;
import kiln.tui.cli.options.Choices;
import kiln.tui.cli.options.DeviceFlags;
import kiln.tui.cli.options.HiresOptions;
import kiln.tui.cli.options.PictureOptions;
import kiln.tui.cli.options.Places;
import kiln.tui.cli.options.SavingOptions;
import kiln.tui.cli.options.StyleOptions;
import kiln.tui.cli.options.WebUiFolder;
import kiln.tui.cli.reports.OutputTarget;
import kiln.tui.cli.reports.Txt2imgReport;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** {@code kiln txt2img}: pictures from one prompt, then the end. */
@CommandLine.Command(
        name = "txt2img",
        description = "Draw pictures from a prompt.",
        optionListHeading = "%nOptions:%n",
        sortOptions = false)
class Txt2imgCommand extends CliCommand {
    @ArgGroup(validate = false, heading = "%nPicture:%n", order = 1)
    PictureOptions picture = new PictureOptions();

    @ArgGroup(validate = false, heading = "%nStyles:%n", order = 2)
    StyleOptions style = new StyleOptions();

    @ArgGroup(validate = false, heading = "%nNames of files:%n", order = 79)
    SavingOptions saving = new SavingOptions();

    @ArgGroup(validate = false, heading = "%nA second pass:%n", order = 3)
    HiresOptions hires = new HiresOptions();

    @ArgGroup(validate = false, heading = "%nGraphics card:%n", order = 80)
    DeviceFlags device = new DeviceFlags();

    @Option(
            names = {"-o", "--output"},
            paramLabel = "PATH",
            description = "A file (its name ends with .png, .jpg or .webp), a folder for the pictures, or - for the standard output. Default:"
                    + " txt2img-images/DATE/ in the output folder.")
    Path output;

    @Option(
            names = "--json",
            description = "{\"files\", \"seeds\", \"infotexts\", \"grids\", \"seconds\", \"stepsPerSecond\", \"device\": {\"name\", \"residency\","
                    + " \"usedBytes\", \"peakBytes\", \"freeBytes\", \"totalBytes\"}, \"notices\"}; what is about a card is null on the CPU")
    boolean json;

    @Option(names = "--verbose", description = "Say device, memory and speed on the error stream, as on a terminal.")
    boolean verbose;

    Txt2imgCommand(CliContext context) {
        super(context);
    }

    @Override
    public List<String> helpFooter() {
        return List.of(
                "",
                "Samplers: " + Choices.samplerLabels() + ".",
                "Schedules: " + Choices.scheduleLabels() + ".",
                "",
                "Prints the path of each picture on a line of its own. An error stream that is a terminal gets a bar with the progress, and at"
                        + " the end device, memory and speed.",
                "",
                "Example: kiln txt2img -p \"3d rocket on a black background\" -o rocket.png");
    }

    @Override
    public int run() {
        Places places = global.places(context);
        try (OutputTarget target = OutputTarget.of(output, outputFolder(places.webUi()));
                Engine engine = new Engine(global.engineOptions(places, target.engineFolder(), device)
                        .withSaving(saving.over(global.saving(places), output != null)))) {
            Path model = engine.models().defaultModel();
            GenerationRequest.Builder asked = request(engine.models().presets(model), places.webUi().requestDefaults(page())).model(model);
            style.apply(asked, global.styles(places), global.infoTextStyles(places), picture.isLike());
            if (target.format() != null) {
                asked.set(Setting.SAMPLES_FORMAT, target.format().ending());
            }
            GenerationRequest request = asked.build();
            if (target.isStandardOutput()) {
                checkStandardOutput(request);
            }
            target.prepare();
            if (global.consolePrompts(places)) {
                context.err().println("kiln: drawing: " + request.prompt());
            }
            Txt2imgReport report = new Txt2imgReport(
                    context, target, request.settings().encoding(), json, verbose, global.progressBar());
            GenerationJob job = engine.submit(request, new LastParameters(places.parametersFile()).keepFrom(report));
            context.cancellation().calls(job::cancel);
            GenerationEvent last = job.await();
            report.end(engine.device());
            if (last instanceof GenerationEvent.Failed failed) {
                throw failed.toException();
            }
            if (last instanceof GenerationEvent.Cancelled) {
                throw KilnException.cancelled();
            }
        }
        return 0;
    }

    /** Which of the web UI's pages does the same. */
    String page() {
        return "txt2img";
    }

    /** Where pictures go without {@code -o}. */
    Path outputFolder(WebUiFolder folder) {
        return folder.txt2imgFolder();
    }

    /** What the options ask for, on top of the model's presets, and these on top of the folder's. */
    GenerationRequest.Builder request(ModelPresets presets, GenerationRequest defaults) {
        GenerationRequest.Builder request = picture.request(presets, defaults, context).toBuilder();
        hires.apply(request);
        return request;
    }

    private void checkStandardOutput(GenerationRequest request) {
        if (json) {
            throw KilnException.badRequest("-o - and --json both want the standard output: give one");
        }
        if (context.outIsTty()) {
            throw KilnException.badRequest("-o - writes a picture, which a terminal cannot show: send it to a program or a file");
        }
        if (request.batchSize() * request.batchCount() > 1) {
            throw KilnException.badRequest("-o - writes one picture: name a folder for more");
        }
    }
}
