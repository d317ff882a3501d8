package kiln.tui.cli.commands;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
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
import kiln.runtime.script.Axis;
import kiln.runtime.script.PlotPlan;
import kiln.runtime.script.PlotPlan.Dimension;
import kiln.tui.cli.base.CliContext;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** {@code kiln grid}: A1111's X/Y/Z plot. */
@CommandLine.Command(
        name = "grid",
        description = "Draw a picture for each value of up to three axes, and all of them in one grid.",
        optionListHeading = "%nOptions:%n",
        sortOptions = false)
final class GridCommand extends ScriptCommand {
    private static final String FILE = "xyz_grid";
    private static final double MOST_MEGAPIXELS = 200;

    @Option(names = {"-x", "--x"}, paramLabel = "AXIS=VALUES", description = "From left to right, as steps=10,20 or seed=1-4.")
    String x;

    @Option(names = {"-y", "--y"}, paramLabel = "AXIS=VALUES", description = "From top to bottom.")
    String y;

    @Option(names = {"-z", "--z"}, paramLabel = "AXIS=VALUES", description = "A grid each.")
    String z;

    @Option(names = "--no-legend", description = "Write no captions.")
    boolean noLegend;

    @Option(names = "--margin", paramLabel = "PIXELS", description = "Between the pictures. Default: 0.")
    int margin;

    @Option(names = "--sub-grids", description = "Save the grid of each value of z as well.")
    boolean subGrids;

    @Option(names = "--keep-random-seeds", description = "Where the seed is -1, draw one for each picture.")
    boolean keepRandomSeeds;

    @Option(names = "--vary-seeds", paramLabel = "AXES", description = "Let the seed grow along these axes, as xy.")
    String varySeeds = "";

    GridCommand(CliContext context) {
        super(context);
    }

    @Override
    public List<String> helpFooter() {
        return List.of(
                "",
                "Axes: " + String.join(", ", Axis.labels()) + ".",
                "",
                "Values stand between commas, in quotes where they have commas. Numbers may be ranges: 1-5, 1-10 (+2), 10-5 (-3), and"
                        + " 1-10 [5] for five of them. Of Prompt S/R the first value is replaced by the others.",
                "",
                "Prints the path of each picture and last that of the grid.",
                "",
                "Example: kiln grid -p \"a red heart\" -x steps=4,8,16 -y \"Prompt S/R=red,blue\"");
    }

    @Override
    GenerationRequest request(ModelPresets presets, GenerationRequest defaults) {
        return picture.request(presets, defaults, context);
    }

    @Override
    public int run() {
        // One picture or several to a cell: the grid is the plot's, not the job's.
        SaveOptions saving = global.saving(places()).withGrid(false);
        EngineOptions options = global.engineOptions(places(), places().webUi().txt2imgFolder(), device).withSaving(saving);
        try (Engine engine = new Engine(options)) {
            Set<String> varied = Arrays.stream(varySeeds.toLowerCase(Locale.ROOT).split("")).collect(Collectors.toSet());
            PlotPlan plan = PlotPlan.of(
                    base(engine.models()), dimension("x", x), dimension("y", y), dimension("z", z),
                    new PlotPlan.Seeds(keepRandomSeeds, varied.contains("x"), varied.contains("y"), varied.contains("z")),
                    names(engine.models()), ScriptCommand::randomSeed);
            List<Task> tasks = plan.cells().stream().map(cell -> new Task(name(plan, cell), cell.request())).toList();
            if (dryRun) {
                list(tasks);
                return 0;
            }
            checkSize(plan);
            List<List<GeneratedPicture>> drawn = new ArrayList<>();
            draw(tasks, engine, drawn::add);
            save(plan, drawn, saving, engine);
        }
        return 0;
    }

    private static Dimension dimension(String letter, String given) {
        if (given == null) {
            return Dimension.NOTHING;
        }
        int equals = given.indexOf('=');
        if (equals < 1) {
            throw KilnException.badRequest("--" + letter + " " + given + ": give AXIS=VALUES, as steps=10,20");
        }
        return Dimension.of(Axis.find(given.substring(0, equals).strip()), given.substring(equals + 1));
    }

    private static String name(PlotPlan plan, PlotPlan.Cell cell) {
        return Stream.of(
                        plan.x().captions().get(cell.x()), plan.y().captions().get(cell.y()), plan.z().captions().get(cell.z()))
                .filter(text -> !text.isEmpty())
                .collect(Collectors.joining(" | "));
    }

    /** As A1111 counts: no captions, one picture a cell. */
    private static void checkSize(PlotPlan plan) {
        double pixels = plan.cells().stream().mapToDouble(cell -> (double) cell.request().width() * cell.request().height()).sum();
        if (pixels > MOST_MEGAPIXELS * 1e6) {
            throw KilnException.badRequest(
                    "the grid would have " + Math.round(pixels / 1e6) + " megapixels: at most " + (int) MOST_MEGAPIXELS + " are drawn");
        }
    }

    private void save(PlotPlan plan, List<List<GeneratedPicture>> drawn, SaveOptions saving, Engine engine) {
        PictureGrid.Colours colours = new PictureGrid.Colours(saving.gridBackground(), saving.gridActive(), saving.gridInactive());
        List<Picture> grids = new ArrayList<>();
        InfoText first = null;
        for (int at = 0; at < plan.z().size(); at++) {
            Picture[] cells = new Picture[plan.x().size() * plan.y().size()];
            InfoText text = null;
            for (int i = 0; i < drawn.size(); i++) {
                PlotPlan.Cell cell = plan.cells().get(i);
                if (cell.z() == at) {
                    List<GeneratedPicture> pictures = drawn.get(i);
                    cells[cell.y() * plan.x().size() + cell.x()] = cellOf(pictures, cell.request(), saving, colours);
                    text = cell.x() == 0 && cell.y() == 0 ? InfoText.parse(pictures.get(0).infoText()) : text;
                }
            }
            first = first == null ? text : first;
            Picture grid = PictureGrid.captioned(
                    Arrays.asList(cells), plan.y().size(), captions(plan.x()), captions(plan.y()), margin, colours);
            grids.add(grid);
            if (subGrids && plan.z().size() > 1) {
                context.out().println(engine.saveGrid(FILE, grid, text.withMore(plan.parameters(false))));
            }
        }
        Picture whole = plan.z().size() == 1
                ? grids.get(0)
                : PictureGrid.captioned(grids, 1, captions(plan.z()), List.of(), 0, colours);
        context.out().println(engine.saveGrid(FILE, whole, first.withMore(plan.parameters(true))));
    }

    private static Picture cellOf(
            List<GeneratedPicture> pictures, GenerationRequest request, SaveOptions saving, PictureGrid.Colours colours) {
        int rows = PictureGrid.rows(pictures.size(), request.batchSize(), saving.gridRows(), saving.gridFilled());
        return PictureGrid.of(pictures.stream().map(GeneratedPicture::image).toList(), rows, colours);
    }

    private List<List<Caption>> captions(Dimension dimension) {
        return noLegend ? List.of() : dimension.captions().stream().map(text -> List.of(new Caption(text, true))).toList();
    }
}
