package kiln.tui.cli.options;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import kiln.runtime.base.KilnException;
import kiln.runtime.engine.EngineOptions;
import kiln.runtime.engine.Models;
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

    // Cli answers it before parsing, so that wrong options do not stand in the way.
    @Option(names = {"-h", "--help"}, usageHelp = true, description = "Show this help.")
    boolean help;

    public Places places(CliContext context) {
        return Places.of(places, context);
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
                where.addOns());
    }

    /** The models that can be chosen. */
    public Models models(Places where) {
        return where.models(checkpoints(where));
    }

    /**
     * The files of {@code --ckpt}, absolute. What is no file may be the name of a model that was found, as {@code kiln models} shows it.
     *
     * @throws KilnException when one cannot be read
     */
    List<Path> checkpoints(Places where) {
        List<Path> files = new ArrayList<>();
        for (Path given : places.checkpoints) {
            files.add(Files.exists(given) ? readable(given, "model") : named(given, where));
        }
        return files;
    }

    private static Path named(Path given, Places where) {
        return where.models(List.of())
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
            throw KilnException.badRequest(file + " is a folder, not a " + what + (what.equals("model") ? ": name it with --ckpt-dir" : ""));
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
