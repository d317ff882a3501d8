package kiln.runtime.store;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.ZonedDateTime;
import java.util.Objects;
import java.util.UUID;
import kiln.runtime.image.Picture;
import kiln.runtime.image.PictureEncoding;
import kiln.runtime.image.PictureWriter;
import kiln.runtime.job.InfoText;
import kiln.runtime.job.SaveOptions;

/**
 * Where pictures go: {@code FOLDER/DATE/NUMBER-NAME.png} as A1111 has it by default, {@code FOLDER} being given.
 *
 * <p>A picture is written under a temporary name, synced, then renamed; another's file is never replaced, also where names bear no number:
 * then one is put behind them. Two processes that save into one folder at once get different numbers. Safe from any thread.
 */
public final class PictureFiles {
    private static final String PICTURES = "-images";
    private static final String GRIDS = "grids";
    private static final int PICTURE_DIGITS = 5;
    private static final int GRID_DIGITS = 4;
    private static final int MAX_DIGITS = 9;
    private static final String TEXT_ENDING = ".txt";
    /** Slashes outside of a part's arguments. */
    private static final String FOLDER_SEPARATOR = "/(?![^<]*>)";
    /** How often another program may take the very name that was chosen, before it is taken for a fault. */
    private static final int MAX_ATTEMPTS = 100;

    private final Path folder;
    private final SaveOptions options;
    private final Clock clock;
    private final ZonedDateTime begun;

    /**
     * @param folder the parent of the folders that the options' pattern names; made when it is needed
     * @param clock for dates in names; the job begins now
     */
    public PictureFiles(Path folder, SaveOptions options, Clock clock) {
        this.folder = Objects.requireNonNull(folder, "folder");
        this.options = Objects.requireNonNull(options, "options");
        this.clock = Objects.requireNonNull(clock, "clock");
        begun = ZonedDateTime.now(clock);
    }

    /** Where grids of pictures in {@code folder} go: beside "txt2img-images" into "txt2img-grids", else below it. */
    public static Path gridFolder(Path folder) {
        String name = folder.getFileName() == null ? "" : folder.getFileName().toString();
        return name.endsWith(PICTURES)
                ? folder.resolveSibling(name.substring(0, name.length() - PICTURES.length()) + "-" + GRIDS)
                : folder.resolve(GRIDS);
    }

    /**
     * Which of a job's pictures one is.
     *
     * @param index from 0
     * @param batchSize pictures computed together
     * @param pictures of the job
     * @param firstSeed of its first picture
     */
    public record Place(int index, int batchSize, int pictures, long firstSeed) {
        public static final Place ALONE = new Place(0, 1, 1, 0);
    }

    /**
     * Saves a picture with its text and returns where it lies.
     *
     * @param encoding one that can hold it, see {@link PictureWriter#refusal}
     * @param withTextFile whether the text is written beside it, too, under the same name with ".txt"
     * @throws kiln.runtime.base.KilnException {@code STORAGE} when the folder cannot be written to or the disk is full; nothing is left
     *     behind then
     */
    public Path save(Picture picture, InfoText text, PictureEncoding encoding, boolean withTextFile, Place place) {
        NameFacts facts = facts(picture, text, place);
        String name = new FileNamePattern(options.names(), options).fill(facts);
        Path target = makeFolder(options.folderPattern(), facts);
        return options.numbered() || name.isEmpty()
                ? saveNumbered(picture, text, encoding, withTextFile, target, "", PICTURE_DIGITS, name)
                : saveNamed(picture, text, encoding, withTextFile, target, name);
    }

    /**
     * Saves a grid: {@code FOLDER/DATE/NAME-0000.png}.
     *
     * @param name "grid"
     */
    public Path saveGrid(String name, Picture grid, InfoText text) {
        NameFacts facts = facts(grid, text, Place.ALONE);
        String more = options.gridNames() ? new FileNamePattern(options.names(), options).fill(facts) : "";
        Path target = makeFolder(options.gridFolders() ? options.folderPattern() : "", facts);
        return saveNumbered(grid, text, PictureEncoding.PNG, false, target, name + "-", GRID_DIGITS, more);
    }

    private NameFacts facts(Picture picture, InfoText text, Place place) {
        return new NameFacts(
                text, place.index, place.batchSize, place.pictures, place.firstSeed, picture, begun, ZonedDateTime.now(clock));
    }

    /** The number stands between {@code prefix} and {@code name}. */
    private static Path saveNumbered(
            Picture picture, InfoText text, PictureEncoding encoding, boolean withTextFile, Path target, String prefix, int digits, String name) {
        for (int attempt = 1; ; attempt++) {
            Path temporary = null;
            try {
                NumberedFile numbered = reserveNumber(target, prefix, digits);
                temporary = numbered.temporary();
                write(picture, text, encoding, temporary);
                String stem = prefix + numbered.number() + (name.isEmpty() ? "" : "-" + name);
                Path file = resolve(target, stem + "." + encoding.format().ending());
                Storage.publish(temporary, file);
                if (withTextFile) {
                    Files.write(resolve(target, stem + TEXT_ENDING), PictureWriter.textFile(text.format()));
                }
                return file;
            } catch (IOException e) {
                if (temporary != null) {
                    Storage.deleteQuietly(temporary);
                }
                if (!(e instanceof FileAlreadyExistsException) || attempt == MAX_ATTEMPTS) {
                    throw Storage.failure(target, "the picture cannot be saved", e);
                }
            }
        }
    }

    private static Path saveNamed(
            Picture picture, InfoText text, PictureEncoding encoding, boolean withTextFile, Path target, String name) {
        Path temporary = target.resolve("." + UUID.randomUUID() + ".tmp");
        try {
            Files.createFile(temporary);
            write(picture, text, encoding, temporary);
            for (int number = 0; ; number++) {
                try {
                    String stem = name + (number == 0 ? "" : "-" + number);
                    Path file = resolve(target, stem + "." + encoding.format().ending());
                    Storage.publish(temporary, file);
                    if (withTextFile) {
                        Files.write(resolve(target, stem + TEXT_ENDING), PictureWriter.textFile(text.format()));
                    }
                    return file;
                } catch (FileAlreadyExistsException e) {
                    // The next name, then.
                }
            }
        } catch (IOException e) {
            Storage.deleteQuietly(temporary);
            throw Storage.failure(target, "the picture cannot be saved", e);
        }
    }

    private static void write(Picture picture, InfoText text, PictureEncoding encoding, Path file) throws IOException {
        Storage.writeSynced(file, out -> PictureWriter.write(picture, text.format(), encoding, out));
    }

    /**
     * Saves a latent beside the pictures to be, so that it survives whatever happens while it is decoded. Delete the file when its
     * picture is saved.
     */
    public Path saveLatent(LatentFile latent, InfoText text) {
        NameFacts facts = facts(null, text, Place.ALONE);
        return latent.save(makeFolder(options.folderPattern(), facts), new FileNamePattern("latent-[seed]", options).fill(facts));
    }

    private Path makeFolder(String pattern, NameFacts facts) {
        Path target = folder;
        for (String part : pattern.split(FOLDER_SEPARATOR)) {
            target = resolve(target, new FileNamePattern(part, options).fill(facts));
        }
        Storage.createFolder(target);
        return target;
    }

    /** Where the locale's encoding has no such letters (a bare "C" over SSH), "_" stands for them. */
    private static Path resolve(Path parent, String name) {
        try {
            return parent.resolve(name);
        } catch (InvalidPathException e) {
            return parent.resolve(name.replaceAll("[^\\x20-\\x7e]", "_"));
        }
    }

    /** A number that is ours as long as its temporary file exists. */
    private record NumberedFile(String number, Path temporary) {}

    /**
     * Takes the next number: one more than the highest in use. The temporary file bears it, so no other process takes it meanwhile; and
     * as one that has just been renamed shows under its last name, a second look tells whether the number was used up before we had it.
     */
    private static NumberedFile reserveNumber(Path target, String prefix, int digits) throws IOException {
        long next = highestNumber(target, prefix, digits, null) + 1;
        while (true) {
            String number = String.format("%0" + digits + "d", next);
            Path temporary = target.resolve("." + prefix + number + ".tmp");
            try {
                Files.createFile(temporary);
            } catch (FileAlreadyExistsException e) {
                next++;
                continue;
            }
            long highest = highestNumber(target, prefix, digits, temporary);
            if (highest < next) {
                return new NumberedFile(number, temporary);
            }
            Files.delete(temporary);
            next = highest + 1;
        }
    }

    private static long highestNumber(Path target, String prefix, int digits, Path except) throws IOException {
        long highest = -1;
        try (DirectoryStream<Path> files = Files.newDirectoryStream(target)) {
            for (Path file : files) {
                if (!file.equals(except)) {
                    highest = Math.max(highest, number(file.getFileName().toString(), prefix, digits));
                }
            }
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        return highest;
    }

    /** The number of so many digits that stands behind the prefix in a file's name, -1 for none; a temporary's counts too. */
    private static long number(String name, String prefix, int digits) {
        int dot = name.startsWith(".") ? 1 : 0;
        if (!name.startsWith(prefix, dot)) {
            return -1;
        }
        int begin = dot + prefix.length();
        int end = begin;
        while (end < name.length() && end - begin <= MAX_DIGITS && name.charAt(end) >= '0' && name.charAt(end) <= '9') {
            end++;
        }
        boolean ends = end < name.length() && (name.charAt(end) == '-' || name.charAt(end) == '.');
        return end - begin >= digits && end - begin <= MAX_DIGITS && ends ? Long.parseLong(name.substring(begin, end)) : -1;
    }
}
