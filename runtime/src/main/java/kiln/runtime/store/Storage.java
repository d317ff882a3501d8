package kiln.runtime.store;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Locale;
import kiln.runtime.base.KilnException;

/** Files that are either wholly there or not at all, and errors that say what to do. */
final class Storage {
    private Storage() {}

    /** Writes a file's bytes. */
    @FunctionalInterface
    interface Content {
        void writeTo(OutputStream out) throws IOException;
    }

    static void createFolder(Path folder) {
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw failure(folder, "the folder cannot be made", e);
        }
    }

    /** Writes a file that must exist and is ours alone, down to the disk. */
    static void writeSynced(Path file, Content content) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            OutputStream out = new BufferedOutputStream(Channels.newOutputStream(channel), 1 << 16);
            content.writeTo(out);
            out.flush();
            channel.force(true);
        }
    }

    /**
     * Gives a finished file its name without ever replacing another's.
     *
     * @throws FileAlreadyExistsException when the name is taken
     */
    static void publish(Path temporary, Path file) throws IOException {
        // An atomic rename replaces what is there, so the name is first taken by an empty file of our own.
        Files.createFile(file);
        try {
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            Files.deleteIfExists(file);
            throw e;
        }
        syncFolder(file.getParent());
    }

    /** Makes a new name durable. Some file systems cannot; the file's bytes are safe all the same. */
    private static void syncFolder(Path folder) {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException e) {
            // Windows opens no folders.
        }
    }

    static void deleteQuietly(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            // A left-over temporary file harms nothing.
        }
    }

    /** One line: the path, what failed, why as far as the system tells, and what to do. */
    static KilnException failure(Path path, String what, IOException e) {
        String reason = e instanceof FileSystemException f && f.getReason() != null ? f.getReason() : String.valueOf(e.getMessage());
        String folded = reason.toLowerCase(Locale.ROOT);
        String advice;
        if (folded.contains("no space") || folded.contains("not enough space") || folded.contains("quota")) {
            advice = "the disk is full: free some space or choose another output folder";
        } else if (e instanceof AccessDeniedException || folded.contains("permission") || folded.contains("read-only")) {
            advice = "it may not be written to: change its permissions or choose another output folder";
        } else if (e instanceof FileAlreadyExistsException) {
            advice = "a file is where a folder should be: move it or choose another output folder";
        } else if (folded.contains("not a directory")) {
            advice = "a part of the path is not a folder: choose another output folder";
        } else {
            advice = e.getClass().getSimpleName() + ", " + reason + ": choose another output folder if it stays";
        }
        return new KilnException(KilnException.Category.STORAGE, path + ": " + what + "; " + advice, e);
    }
}
