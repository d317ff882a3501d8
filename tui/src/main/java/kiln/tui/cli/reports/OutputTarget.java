package kiln.tui.cli.reports;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import kiln.runtime.base.KilnException;
import kiln.runtime.image.PictureFormat;
import kiln.runtime.job.GenerationEvent.GeneratedPicture;
import kiln.tui.cli.base.Failures;

/**
 * Where {@code -o} wants the pictures. The engine saves them under its own names into a folder beside the target, so that latents and
 * half-written files are as safe as ever, and each is then renamed to where it belongs. Without {@code -o} the engine's names stay.
 *
 * <p>{@code -o -} is the standard output: the engine saves nothing then. Closing removes the engine's folder, unless a latent is left in
 * it.
 */
public final class OutputTarget implements AutoCloseable {
    private static final Pattern OTHER_FORMAT = Pattern.compile("\\.(avif|jxl|gif|bmp|tiff?|ppm|heic)$", Pattern.CASE_INSENSITIVE);
    private static final String TEXT_ENDING = ".txt";

    private static final OutputTarget STANDARD_OUTPUT = new OutputTarget(null, null, null);

    private final Path engineFolder;
    private final Path folder;
    private final Path file;
    private int placed;

    private OutputTarget(Path engineFolder, Path folder, Path file) {
        this.engineFolder = engineFolder;
        this.folder = folder;
        this.file = file;
    }

    /**
     * @param output of {@code -o}: a file when its name ends with .png, .jpg or .webp, "-" for the standard output, else a folder; may be {@code null}
     * @param outputs the usual folder
     * @throws KilnException when it looks like a file of another format: a folder of that name is not what was meant
     */
    public static OutputTarget of(Path output, Path outputs) {
        if (output == null) {
            return new OutputTarget(outputs, null, null);
        }
        if (output.toString().equals("-")) {
            return STANDARD_OUTPUT;
        }
        Path target = output.toAbsolutePath().normalize();
        if (OTHER_FORMAT.matcher(target.toString()).find() && !Files.isDirectory(target)) {
            throw KilnException.badRequest("-o " + output + ": pictures are written as " + PictureFormat.writtenEndings() + ": let the name end so");
        }
        boolean isFile = PictureFormat.ofName(target.getFileName().toString()) != null && !Files.isDirectory(target);
        Path folder = isFile ? target.getParent() : target;
        Path staging = folder.resolve(".kiln-" + ProcessHandle.current().pid());
        return new OutputTarget(staging, folder, isFile ? target : null);
    }

    /** For an engine that saves nothing. */
    public static OutputTarget nowhere() {
        return new OutputTarget(null, null, null);
    }

    /** The format that the file's name asks for; {@code null} when it is not a file that is named. */
    public PictureFormat format() {
        return file == null ? null : PictureFormat.ofName(file.getFileName().toString());
    }

    /** Whether the picture itself is what the command prints. */
    public boolean isStandardOutput() {
        return this == STANDARD_OUTPUT;
    }

    /** The parent of the engine's own folders; {@code null} when it saves nothing. */
    public Path engineFolder() {
        return engineFolder;
    }

    /** Makes the folder: a wrong one must be told before the work, not after it. @throws KilnException when it cannot be written to */
    public void prepare() {
        if (engineFolder == null) {
            return;
        }
        try {
            Files.createDirectories(engineFolder);
        } catch (IOException e) {
            throw unwritable(e);
        }
        if (!Files.isWritable(engineFolder)) {
            throw unwritable(null);
        }
    }

    private KilnException unwritable(IOException cause) {
        Path named = folder == null ? engineFolder : folder;
        Path existing = named;
        while (existing.getParent() != null && !Files.exists(existing)) {
            existing = existing.getParent();
        }
        String reason = Files.isDirectory(existing) ? "" : " (" + existing + " is not a folder)";
        return new KilnException(
                KilnException.Category.STORAGE,
                "cannot write to the folder " + named + reason + ": choose another one with -o or --output-dir",
                cause);
    }

    /** Puts a finished picture where it belongs. @return where it is now */
    Path place(GeneratedPicture picture) {
        if (folder == null) {
            return picture.file();
        }
        try {
            placed++;
            // What the wanted format cannot hold was saved in another one.
            PictureFormat format = PictureFormat.ofName(picture.file().getFileName().toString());
            if (file != null) {
                Path wanted = format == format() ? file : file.resolveSibling(stem(file) + "." + format.ending());
                Path target = placed == 1 ? wanted : numbered(wanted, placed);
                Files.move(picture.file(), target, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
                return withText(picture.file(), target);
            }
            Path wanted = folder.resolve(picture.seed() + "." + format.ending());
            Path target = wanted;
            for (int number = 2; ; number++) {
                try {
                    Files.move(picture.file(), target);
                    return withText(picture.file(), target);
                } catch (FileAlreadyExistsException e) {
                    target = numbered(wanted, number);
                }
            }
        } catch (IOException e) {
            throw Failures.of(e, folder);
        }
    }

    /** The same for a job's grid, which gets the picture's name with "-grid", or in a folder "grid.png". */
    Path placeGrid(Path grid) {
        if (folder == null) {
            return grid;
        }
        try {
            if (file != null) {
                String name = file.getFileName().toString();
                Path target = file.resolveSibling(name.substring(0, name.lastIndexOf('.')) + "-grid.png");
                return Files.move(grid, target, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
            }
            Path target = folder.resolve("grid.png");
            for (int number = 2; ; number++) {
                try {
                    return Files.move(grid, target);
                } catch (FileAlreadyExistsException e) {
                    target = numbered(folder.resolve("grid.png"), number);
                }
            }
        } catch (IOException e) {
            throw Failures.of(e, folder);
        }
    }

    /** Takes the picture's text file along, where there is one. @return {@code target} */
    private static Path withText(Path source, Path target) throws IOException {
        Path text = source.resolveSibling(stem(source) + TEXT_ENDING);
        if (Files.exists(text)) {
            Files.move(text, target.resolveSibling(stem(target) + TEXT_ENDING), StandardCopyOption.REPLACE_EXISTING);
        }
        return target;
    }

    private static String stem(Path file) {
        String name = file.getFileName().toString();
        return name.substring(0, name.lastIndexOf('.'));
    }

    /** "cat.png" as "cat-2.png". */
    private static Path numbered(Path file, int number) {
        String stem = stem(file);
        return file.resolveSibling(stem + "-" + number + file.getFileName().toString().substring(stem.length()));
    }

    @Override
    public void close() {
        if (folder == null || !Files.isDirectory(engineFolder)) {
            return;
        }
        List<Path> folders = new ArrayList<>();
        try (Stream<Path> all = Files.walk(engineFolder)) {
            all.filter(Files::isDirectory).forEach(folders::add);
            Collections.reverse(folders);
            for (Path empty : folders) {
                Files.delete(empty);
            }
        } catch (IOException e) {
            // Something is left in it, which must not be lost.
            return;
        }
    }
}
