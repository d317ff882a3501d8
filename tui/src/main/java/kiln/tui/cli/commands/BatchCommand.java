package kiln.tui.cli.commands;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import kiln.runtime.base.KilnException;
import kiln.runtime.engine.Engine;
import kiln.runtime.engine.EngineOptions;
import kiln.runtime.engine.ModelPresets;
import kiln.runtime.image.Picture;
import kiln.runtime.image.PictureGrid;
import kiln.runtime.image.PictureGrid.Caption;
import kiln.runtime.job.GenerationEvent.GeneratedPicture;
import kiln.runtime.job.GenerationRequest;
import kiln.runtime.job.InfoText;
import kiln.runtime.job.SaveOptions;
import kiln.runtime.script.PromptLines;
import kiln.runtime.script.PromptMatrix;
import kiln.tui.cli.base.CliContext;
import kiln.tui.cli.options.GlobalOptions;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code kiln batch}: A1111's prompts from a file, and its prompt matrix. */
@CommandLine.Command(
        name = "batch",
        description = "Draw the prompts of a file, a line each; or with --matrix all combinations of a prompt's parts.",
        optionListHeading = "%nOptions:%n",
        sortOptions = false)
final class BatchCommand extends ScriptCommand {
    private static final int MOST_BYTES = 64 << 20;

    @Parameters(
            paramLabel = "FILE",
            arity = "0..1",
            description = "Prompts, a line each; a line may be --prompt TEXT --steps N …; - reads the standard input.")
    Path file;

    @Option(names = "--matrix", description = "\"a|b|c\" stands for a; a, b; a, c; a, b, c: all in one grid.")
    boolean matrix;

    @Option(names = "--matrix-negative", description = "The bars are in the negative prompt.")
    boolean negative;

    @Option(names = "--parts-first", description = "Put what varies before what all have.")
    boolean partsFirst;

    @Option(names = "--different-seeds", description = "Each combination has the next seed.")
    boolean differentSeeds;

    @Option(names = "--space", description = "Join parts with a blank, not with a comma.")
    boolean space;

    @Option(names = "--margin", paramLabel = "PIXELS", description = "Between the matrix' pictures. Default: 0.")
    int margin;

    @Option(names = "--iterate-seed", description = "Each line of the file has the next seed.")
    boolean iterateSeed;

    @Option(names = "--same-seed", description = "Draw one seed for all lines of the file.")
    boolean sameSeed;

    @Option(names = "--prompt-first", description = "Put -p before the lines' prompts, not behind them.")
    boolean promptFirst;

    BatchCommand(CliContext context) {
        super(context);
    }

    @Override
    public List<String> helpFooter() {
        return List.of(
                "",
                "Examples: kiln batch prompts.txt --iterate-seed --steps 20",
                "          kiln batch --matrix -p \"a heart|red|flat\" --seed 1");
    }

    @Override
    GenerationRequest request(ModelPresets presets, GenerationRequest defaults) {
        // Lines have prompts of their own.
        return matrix || picture.hasPrompt() ? picture.request(presets, defaults, context) : picture.values(presets, defaults, context);
    }

    @Override
    public int run() {
        if (matrix == (file != null)) {
            throw KilnException.badRequest(
                    matrix ? "--matrix takes its prompt from -p, not from a file" : "give a file of prompts, or --matrix");
        }
        SaveOptions saving = global.saving(places()).withGrid(false);
        EngineOptions options = global.engineOptions(places(), places().webUi().txt2imgFolder(), device).withSaving(saving);
        try (Engine engine = new Engine(options)) {
            GenerationRequest base = base(engine.models());
            if (matrix) {
                drawMatrix(base.seeded(ScriptCommand::randomSeed), saving, engine);
            } else {
                drawLines(base, engine);
            }
        }
        return 0;
    }

    private void drawLines(GenerationRequest base, Engine engine) {
        PromptLines.Seeds seeds =
                iterateSeed ? PromptLines.Seeds.NEXT_EACH_LINE : sameSeed ? PromptLines.Seeds.SAME_FOR_ALL : PromptLines.Seeds.AS_GIVEN;
        PromptLines lines =
                PromptLines.of(text(), base, promptFirst, seeds, names(engine.models()), ScriptCommand::randomSeed);
        lines.notices().forEach(notice -> context.err().println("kiln: " + notice));
        List<Task> tasks = lines.requests().stream().map(request -> new Task("", request)).toList();
        if (dryRun) {
            list(tasks);
        } else {
            draw(tasks, engine, null);
        }
    }

    private void drawMatrix(GenerationRequest base, SaveOptions saving, Engine engine) {
        PromptMatrix plan = PromptMatrix.of(
                base, new PromptMatrix.Options(negative, partsFirst, differentSeeds, space ? " " : ", "));
        List<Task> tasks = plan.requests().stream().map(request -> new Task("", request)).toList();
        if (dryRun) {
            list(tasks);
            return;
        }
        List<GeneratedPicture> pictures = new ArrayList<>();
        draw(tasks, engine, pictures::addAll);
        Picture grid = PictureGrid.captioned(
                pictures.stream().map(GeneratedPicture::image).toList(),
                plan.rows(),
                captions(plan.columnMarks()),
                captions(plan.rowMarks()),
                margin,
                new PictureGrid.Colours(saving.gridBackground(), saving.gridActive(), saving.gridInactive()));
        InfoText first = InfoText.parse(pictures.get(0).infoText());
        // The grid's prompt is the one with the bars.
        InfoText text = new InfoText(base.prompt(), base.negativePrompt(), first.parameters());
        context.out().println(engine.saveGrid("prompt_matrix", grid, text));
    }

    private static List<List<Caption>> captions(List<List<PromptMatrix.Mark>> marks) {
        return marks.stream().map(of -> of.stream().map(mark -> new Caption(mark.text(), mark.active())).toList()).toList();
    }

    private String text() {
        boolean standardInput = file.toString().equals("-");
        Path readable = standardInput ? file : GlobalOptions.readable(file, "file of prompts");
        try (InputStream in = standardInput ? context.in() : Files.newInputStream(readable)) {
            byte[] bytes = in.readNBytes(MOST_BYTES + 1);
            if (bytes.length > MOST_BYTES) {
                throw KilnException.badRequest(file + " has more than " + (MOST_BYTES >> 20) + " MiB of prompts");
            }
            return new String(bytes, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new KilnException(KilnException.Category.STORAGE, file + " cannot be read: " + e.getMessage(), e);
        }
    }
}
