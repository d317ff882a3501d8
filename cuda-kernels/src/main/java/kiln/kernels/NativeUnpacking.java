package kiln.kernels;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Set;

/**
 * Puts a native library of the class path into a folder that only this user can write.
 *
 * <p>JCuda itself unpacks into the shared temporary folder under a fixed name and takes a file that is already there: on a shared machine
 * that would load another user's code.
 */
final class NativeUnpacking {
    private static final FileAttribute<Set<PosixFilePermission>> OWNER_ONLY =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

    private NativeUnpacking() {}

    /**
     * Unpacks {@code resource} unless the same bytes are there already, so that an interrupted or changed copy is replaced.
     *
     * @throws IOException when the folder belongs to somebody else or cannot be written
     */
    static Path unpack(String resource, Path folder) throws IOException {
        return unpack(resource, folder, resource.substring(resource.lastIndexOf('/') + 1));
    }

    /** The same under another name. */
    static Path unpack(String resource, Path folder, String fileName) throws IOException {
        makePrivate(folder);
        byte[] bytes;
        try (InputStream in = NativeUnpacking.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new IOException(resource + " is not on the class path");
            }
            bytes = in.readAllBytes();
        }
        Path target = folder.resolve(fileName);
        if (Files.isRegularFile(target) && Arrays.equals(Files.readAllBytes(target), bytes)) {
            return target;
        }
        Path temporary = Files.createTempFile(folder, "unpacking", ".so");
        try {
            Files.write(temporary, bytes);
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(temporary);
        }
        return target;
    }

    private static void makePrivate(Path folder) throws IOException {
        Path parent = folder.toAbsolutePath().getParent();
        Files.createDirectories(parent);
        try {
            Files.createDirectory(folder, OWNER_ONLY);
        } catch (FileAlreadyExistsException e) {
            if (!Files.isDirectory(folder)) {
                throw new IOException(folder + " is not a folder");
            }
        }
        // Fails when the folder is another user's.
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx------"));
    }
}
