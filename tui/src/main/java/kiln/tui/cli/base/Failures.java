package kiln.tui.cli.base;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.KilnException.Category;
import kiln.runtime.engine.EngineFailures;

/** Turns whatever is thrown into a category and one line. */
public final class Failures {
    private Failures() {}

    public static KilnException of(Throwable e) {
        return e instanceof UncheckedIOException unchecked ? of(unchecked.getCause(), null) : EngineFailures.of(e);
    }

    /** @param file what was read or written, {@code null} when the exception names it */
    public static KilnException of(IOException e, Path file) {
        String name = e instanceof FileSystemException inFile ? inFile.getFile() : null;
        if (name == null) {
            name = file == null ? "a file" : file.toString();
        }
        if (e instanceof NoSuchFileException) {
            return new KilnException(Category.NOT_FOUND, "no such file: " + name, e);
        }
        if (e instanceof AccessDeniedException) {
            return new KilnException(Category.STORAGE, "no permission for " + name, e);
        }
        String reason = e instanceof FileSystemException inFile ? inFile.getReason() : e.getMessage();
        return new KilnException(Category.STORAGE, name + ": " + (reason == null ? e.getClass().getSimpleName() : reason), e);
    }
}
