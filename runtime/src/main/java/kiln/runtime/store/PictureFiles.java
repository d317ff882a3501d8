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
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import kiln.runtime.image.Picture;
import kiln.runtime.image.PictureEncoding;
import kiln.runtime.image.PictureWriter;
import kiln.runtime.job.InfoText;

/**
 * Where pictures go: {@code FOLDER/DATE/NUMBER-NAME.png} as A1111 has it by default, {@code FOLDER} being given.
 *
 * <p>A picture is written under a temporary name, synced, then renamed; another's file is never replaced, and two processes that
 * save into one folder at once get different numbers. Safe from any thread.
 */
public final class PictureFiles {
    public static final String DEFAULT_FOLDER_PATTERN = "[date]";
    public static final String DEFAULT_NAME_PATTERN = "[seed]";

    private static final int LEAST_DIGITS = 5;
    private static final int MAX_DIGITS = 9;
    private static final String TEXT_ENDING = ".txt";
    /** Slashes outside of a part's arguments. */
    private static final String FOLDER_SEPARATOR = "/(?![^<]*>)";
    private static final FileNamePattern LATENT_NAME = new FileNamePattern("latent-[seed]");
    /** How often another program may take the very name that was chosen, before it is taken for a fault. */
    private static final int MAX_ATTEMPTS = 100;

    private final Path folder;
    private final List<FileNamePattern> folderPatterns;
    private final FileNamePattern namePattern;
    private final Clock clock;

    /**
     * @param folder the parent of the folders that {@code folderPattern} names; made when it is needed
     * @param folderPattern folders in each other with "/" between them; "" puts all pictures into {@code folder} itself
     * @param namePattern what follows the number
     */
    public PictureFiles(Path folder, String folderPattern, String namePattern, Clock clock) {
        this.folder = Objects.requireNonNull(folder, "folder");
        this.folderPatterns = Arrays.stream(folderPattern.split(FOLDER_SEPARATOR)).map(FileNamePattern::new).toList();
        this.namePattern = new FileNamePattern(namePattern);
        this.clock = Objects.requireNonNull(clock, "clock");
    }

    /** A1111's defaults under {@code folder}, in local time. */
    public static PictureFiles dated(Path folder) {
        return new PictureFiles(folder, DEFAULT_FOLDER_PATTERN, DEFAULT_NAME_PATTERN, Clock.systemDefaultZone());
    }

    /**
     * Saves a picture with its text and returns where it lies.
     *
     * @param encoding one that can hold it, see {@link PictureWriter#refusal}
     * @param withTextFile whether the text is written beside it, too, under the same name with ".txt"
     * @throws kiln.runtime.base.KilnException {@code STORAGE} when the folder cannot be written to or the disk is full; nothing is left
     *     behind then
     */
    public Path save(Picture picture, InfoText text, PictureEncoding encoding, boolean withTextFile) {
        ZonedDateTime now = ZonedDateTime.now(clock);
        Path target = makeFolder(text, now);
        String name = namePattern.fill(text, now);
        for (int attempt = 1; ; attempt++) {
            Path temporary = null;
            try {
                NumberedFile numbered = reserveNumber(target);
                temporary = numbered.temporary();
                Storage.writeSynced(temporary, out -> PictureWriter.write(picture, text.format(), encoding, out));
                String stem = numbered.number() + (name.isEmpty() ? "" : "-" + name);
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

    /**
     * Saves a latent beside the pictures to be, so that it survives whatever happens while it is decoded. Delete the file when its
     * picture is saved.
     */
    public Path saveLatent(LatentFile latent, InfoText text) {
        ZonedDateTime now = ZonedDateTime.now(clock);
        return latent.save(makeFolder(text, now), LATENT_NAME.fill(text, now));
    }

    private Path makeFolder(InfoText text, ZonedDateTime now) {
        Path target = folder;
        for (FileNamePattern pattern : folderPatterns) {
            target = resolve(target, pattern.fill(text, now));
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
    private static NumberedFile reserveNumber(Path target) throws IOException {
        long next = highestNumber(target, null) + 1;
        while (true) {
            String number = String.format("%0" + LEAST_DIGITS + "d", next);
            Path temporary = target.resolve("." + number + ".tmp");
            try {
                Files.createFile(temporary);
            } catch (FileAlreadyExistsException e) {
                next++;
                continue;
            }
            long highest = highestNumber(target, temporary);
            if (highest < next) {
                return new NumberedFile(number, temporary);
            }
            Files.delete(temporary);
            next = highest + 1;
        }
    }

    private static long highestNumber(Path target, Path except) throws IOException {
        long highest = -1;
        try (DirectoryStream<Path> files = Files.newDirectoryStream(target)) {
            for (Path file : files) {
                if (!file.equals(except)) {
                    highest = Math.max(highest, number(file.getFileName().toString()));
                }
            }
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        return highest;
    }

    /** The number that a file's name begins with, -1 for none; a temporary's counts too. */
    private static long number(String name) {
        int begin = name.startsWith(".") ? 1 : 0;
        int end = begin;
        while (end < name.length() && end - begin <= MAX_DIGITS && name.charAt(end) >= '0' && name.charAt(end) <= '9') {
            end++;
        }
        boolean ends = end < name.length() && (name.charAt(end) == '-' || name.charAt(end) == '.');
        return end - begin >= LEAST_DIGITS && end - begin <= MAX_DIGITS && ends ? Long.parseLong(name.substring(begin, end)) : -1;
    }
}
