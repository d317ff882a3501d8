package kiln.tui.cli.options;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import kiln.runtime.base.KilnException;
import kiln.runtime.engine.EngineOptions;
import kiln.runtime.engine.ModelOptions;
import kiln.runtime.engine.Models;
import kiln.runtime.job.SaveOptions;
import kiln.runtime.text.StyleFile;
import kiln.runtime.text.Styles;
import kiln.tui.cli.Cli;
import kiln.tui.cli.base.CliContext;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** The options that every command has. */
public final class GlobalOptions {
    @ArgGroup(validate = false, heading = "%nModels and folders:%n", order = 90)
    PlaceOptions places = new PlaceOptions();

    @ArgGroup(validate = false, heading = "%nComputing:%n", order = 91)
    ComputeOptions compute = new ComputeOptions();

    @Option(names = "--disable-console-progressbars", hidden = true, description = "No bar with the progress.")
    boolean noProgressBar;

    @Option(names = "--enable-console-prompts", hidden = true, description = "Write the prompt to the error stream.")
    boolean consolePrompts;

    // Cli answers it before parsing, so that wrong options do not stand in the way.
    @Option(names = {"-h", "--help"}, usageHelp = true, description = "Show this help.")
    boolean help;

    /** What is wrong with a web UI's files is told on the error stream. */
    public Places places(CliContext context) {
        return places(context, notice -> context.err().println("kiln: " + notice));
    }

    public Places places(CliContext context, Consumer<String> notices) {
        return Places.of(places, context, notices);
    }

    /** Whether a terminal shows a job's progress. */
    public boolean progressBar() {
        return !noProgressBar;
    }

    /** Whether a job's prompt is written to the error stream: by the flag or by the web UI's option of that name. */
    public boolean consolePrompts(Places where) {
        return consolePrompts || Boolean.TRUE.equals(where.webUi().settings().values().get("enable_console_prompts"));
    }

    /** The styles of the files that the options name, or of the data folder's. */
    public Styles styles(Places where) {
        return StyleFile.read(places.styleFiles.isEmpty()
                ? List.of(where.data().resolve("styles.csv"))
                : places.styleFiles.stream().map(file -> file.toAbsolutePath().normalize()).toList());
    }

    /** A1111's option of that name: what becomes of styles that are recognised in a picture's prompts. */
    public String infoTextStyles(Places where) {
        return where.webUi().settings().text("infotext_styles", "Apply if any");
    }

    /** How pictures are named and kept, as the web UI's settings say. */
    public SaveOptions saving(Places where) {
        return SaveOptions.of(where.webUi().settings().values()).withLimits(places.unixNames, places.longestName);
    }

    /** Options for an engine that saves where {@code outputFolder} says, or nowhere when it is {@code null}. */
    public EngineOptions engineOptions(Places where, Path outputFolder, DeviceFlags device) {
        return new EngineOptions(
                checkpoints(where),
                where.checkpointFolders(),
                where.demoModel(),
                outputFolder,
                where.cache(),
                compute.executor(),
                compute.precision(),
                compute.threads(),
                device.options(compute),
                modelOptions(where),
                where.addOns(),
                saving(where));
    }

    /** How checkpoints are completed: what the options name must be there. */
    private ModelOptions modelOptions(Places where) {
        List<Path> vaeFolders = new ArrayList<>(List.of(where.models().resolve("VAE")));
        if (places.vaeFolder != null) {
            vaeFolders.add(places.vaeFolder.toAbsolutePath().normalize());
        }
        return new ModelOptions(
                places.vaeFile == null ? null : readable(places.vaeFile, "VAE"),
                vaeFolders,
                where.webUi().vaeOverridesModel(),
                places.config == null ? null : readable(places.config, "model configuration"),
                hashing(),
                where.upscalerFolders());
    }

    /** The models that can be chosen. */
    public Models models(Places where) {
        return where.models(checkpoints(where), modelOptions(where));
    }

    /**
     * The files and diffusers folders of {@code --ckpt}, absolute, or the model that a web UI's settings have chosen. What is no file may be the
     * name of a model that was found, as {@code kiln models} shows it.
     *
     * @throws KilnException when one cannot be read
     */
    List<Path> checkpoints(Places where) {
        if (places.checkpoints.isEmpty()) {
            return where.webUi().checkpoint(where.models(List.of(), ModelOptions.DEFAULT)).map(List::of).orElse(List.of());
        }
        List<Path> files = new ArrayList<>();
        for (Path given : places.checkpoints) {
            files.add(checkpoint(given, where));
        }
        return files;
    }

    /**
     * A checkpoint's file or diffusers folder, absolute: given by its path, or by the name of a model that was found.
     *
     * @throws KilnException when there is none, or it cannot be read
     */
    public Path checkpoint(Path given, Places where) {
        if (Models.isFolder(given)) {
            return given.toAbsolutePath().normalize();
        }
        return Files.exists(given) ? readable(given, "model") : named(given, where);
    }

    /** Whether models may be hashed: {@code --no-hashing} forbids it. */
    public boolean hashing() {
        return !places.noHashing;
    }

    private static Path named(Path given, Places where) {
        return where.models(List.of(), ModelOptions.DEFAULT)
                .find(given.toString())
                .map(Models.Entry::path)
                .orElseThrow(() -> new KilnException(
                        KilnException.Category.NOT_FOUND,
                        "no model at " + given.toAbsolutePath() + ", and none that is called so (kiln models lists those that were found)"));
    }

    /** {@code given} made absolute. @throws KilnException when it is not a file that can be read */
    public static Path readable(Path given, String what) {
        Path file = given.toAbsolutePath().normalize();
        if (Files.isDirectory(file)) {
            String hint = what.equals("model") ? " (no model_index.json): a folder of models is named with --ckpt-dir" : "";
            throw KilnException.badRequest(file + " is a folder, not a " + what + hint);
        }
        if (!Files.exists(file)) {
            throw new KilnException(KilnException.Category.NOT_FOUND, "no " + what + " at " + file);
        }
        if (!Files.isReadable(file)) {
            throw new KilnException(KilnException.Category.STORAGE, "no permission to read the " + what + " " + file);
        }
        return file;
    }
}
