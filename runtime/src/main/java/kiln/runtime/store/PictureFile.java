package kiln.runtime.store;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import kiln.runtime.base.KilnException;
import kiln.runtime.image.Picture;
import kiln.runtime.image.PngWriter;

/** A picture under a name that its user gives: wholly there or not at all. */
public final class PictureFile {
    private PictureFile() {}

    /**
     * Saves it as PNG; its folder is made where there is none.
     *
     * @param replace whether a file of that name is replaced; else the picture's name gets a number: {@code cat-2.png}
     * @return where it is
     * @throws KilnException STORAGE when the folder cannot be written to or the disk is full; nothing is left behind then
     */
    public static Path save(Path file, boolean replace, Picture picture, Map<String, String> texts) {
        Path folder = file.toAbsolutePath().getParent();
        Storage.createFolder(folder);
        Path temporary = null;
        try {
            temporary = Files.createTempFile(folder, ".kiln-", ".tmp");
            Storage.writeSynced(temporary, out -> PngWriter.write(picture, texts, out));
            if (replace) {
                return Files.move(temporary, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
            }
            for (int number = 1; ; number++) {
                try {
                    Path target = numbered(file, number);
                    Storage.publish(temporary, target);
                    return target;
                } catch (FileAlreadyExistsException e) {
                    // The next number.
                }
            }
        } catch (IOException e) {
            if (temporary != null) {
                Storage.deleteQuietly(temporary);
            }
            throw Storage.failure(file, "the picture cannot be saved", e);
        }
    }

    private static Path numbered(Path file, int number) {
        String name = file.getFileName().toString();
        int dot = name.lastIndexOf('.');
        return number == 1 ? file : file.resolveSibling(name.substring(0, dot) + "-" + number + name.substring(dot));
    }
}
