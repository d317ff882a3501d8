package kiln.tui.cli.commands;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicBoolean;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.KilnException.Category;
import kiln.runtime.engine.UpscalingJob;
import kiln.runtime.job.UpscaleRequest;
import kiln.tui.cli.base.CliContext;
import kiln.tui.cli.base.Failures;
import kiln.tui.cli.options.DeviceFlags;
import kiln.tui.cli.options.Places;
import kiln.tui.cli.options.UpscaleOptions;
import kiln.tui.cli.reports.UpscaleReport;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code kiln upscale}: pictures made larger, then the end. */
@CommandLine.Command(name = "upscale", description = "Make pictures larger.", optionListHeading = "%nOptions:%n", sortOptions = false)
final class UpscaleCommand extends CliCommand {
    private static final String FOLDER = "extras-images";
    private static final String ENDING = ".png";
    private static final List<String> READ = List.of(ENDING, ".jpg", ".jpeg", ".webp", ".gif", ".bmp");

    @Parameters(paramLabel = "FILE", arity = "1..*", description = "Pictures, or folders of pictures.")
    List<Path> files = new ArrayList<>();

    @ArgGroup(validate = false, heading = "%nUpscaling:%n", order = 1)
    UpscaleOptions upscale = new UpscaleOptions();

    @ArgGroup(validate = false, heading = "%nGraphics card:%n", order = 80)
    DeviceFlags device = new DeviceFlags();

    @Option(
            names = {"-o", "--output"},
            paramLabel = "PATH",
            description = "A file (its name ends with .png) or a folder for the pictures, which keep their names."
                    + " Default: extras-images/ in the output folder.")
    Path output;

    @Option(
            names = "--json",
            description = "{\"files\": [{\"source\", \"file\", \"error\"}], \"upscaler\", \"seconds\", \"device\", \"notices\"};"
                    + " file or error is null")
    boolean json;

    UpscaleCommand(CliContext context) {
        super(context);
    }

    @Override
    public List<String> helpFooter() {
        return List.of(
                "",
                "kiln upscalers lists the upscalers that were found. Texts in a picture stay; what was done is written beside them.",
                "",
                "Example: kiln upscale cat.png --upscaler \"R-ESRGAN 4x+\" --scale 2 -o large.png");
    }

    @Override
    public int run() {
        Places places = global.places(context);
        UpscaleRequest request = upscale.request();
        List<Path> sources = pictures();
        boolean toFile = output != null && output.toString().toLowerCase(Locale.ROOT).endsWith(ENDING) && !Files.isDirectory(output);
        if (toFile && sources.size() > 1) {
            throw KilnException.badRequest("-o " + output + " is one file, and there are " + sources.size() + " pictures: name a folder");
        }
        Path folder = output == null ? places.outputs().resolve(FOLDER) : output.toAbsolutePath().normalize();
        AtomicBoolean cancelled = new AtomicBoolean();
        context.cancellation().calls(() -> cancelled.set(true));
        UpscaleReport report = new UpscaleReport(context, sources.size(), json);
        try (UpscalingJob job = new UpscalingJob(
                global.engineOptions(places, null, device), request, cancelled::get, report::notice)) {
            for (Path source : sources) {
                Path target = toFile ? output.toAbsolutePath().normalize() : folder.resolve(stem(source) + ENDING);
                try {
                    report.done(source, job.run(source, target, toFile, report.progress(source)));
                } catch (KilnException e) {
                    if (sources.size() == 1 || e.category() == Category.CANCELLED || e.category() == Category.NOT_FOUND) {
                        throw e;
                    }
                    report.failed(source, e);
                }
            }
            report.end(job.upscaler(), job.device());
        }
        return report.exitCode();
    }

    /** The files, and what the folders hold, by name. */
    private List<Path> pictures() {
        List<Path> pictures = new ArrayList<>();
        for (Path given : files) {
            Path file = given.toAbsolutePath().normalize();
            if (!Files.isDirectory(file)) {
                if (!Files.exists(file)) {
                    throw new KilnException(Category.NOT_FOUND, "no picture at " + file);
                }
                pictures.add(file);
                continue;
            }
            List<Path> inside = new ArrayList<>();
            try (DirectoryStream<Path> entries = Files.newDirectoryStream(file, UpscaleCommand::isPicture)) {
                entries.forEach(inside::add);
            } catch (IOException e) {
                throw Failures.of(e, file);
            }
            if (inside.isEmpty()) {
                throw new KilnException(Category.NOT_FOUND, "no pictures in " + file);
            }
            inside.sort(null);
            pictures.addAll(inside);
        }
        return pictures;
    }

    private static boolean isPicture(Path file) {
        String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
        return READ.stream().anyMatch(name::endsWith) && !name.startsWith(".") && Files.isRegularFile(file);
    }

    private static String stem(Path file) {
        String name = file.getFileName().toString();
        int dot = name.lastIndexOf('.');
        return dot > 0 ? name.substring(0, dot) : name;
    }
}
