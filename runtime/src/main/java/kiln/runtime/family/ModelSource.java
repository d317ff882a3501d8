package kiln.runtime.family;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Which files make a model; nothing is opened yet.
 *
 * @param checkpoint a file, or a folder as the diffusers library writes it
 * @param vae whose autoencoder takes the place of the checkpoint's own; {@code null} keeps that
 * @param config {@code --config}: what says how plain SD 1.x checkpoints without a {@code .yaml} of their own are meant; {@code null} for the
 *     usual
 */
public record ModelSource(Path checkpoint, Path vae, Path config) {
    public ModelSource {
        Objects.requireNonNull(checkpoint, "checkpoint");
    }

    /** A checkpoint as it is. */
    public static ModelSource of(Path checkpoint) {
        return new ModelSource(checkpoint, null, null);
    }

    /** The {@code .yaml} of the checkpoint's name beside it, {@code null} when there is none. */
    Path ownConfig() {
        String name = checkpoint.toAbsolutePath().normalize().getFileName().toString();
        int dot = name.lastIndexOf('.');
        Path yaml = checkpoint.resolveSibling((dot <= 0 ? name : name.substring(0, dot)) + ".yaml");
        return !Files.isDirectory(checkpoint) && Files.isRegularFile(yaml) ? yaml : null;
    }

    /** What tells these weights from others, without reading them: a file that was replaced has another key. */
    public String key() {
        List<Path> files = new ArrayList<>();
        if (DiffusersFolder.is(checkpoint)) {
            files.addAll(DiffusersFolder.of(checkpoint).files());
        } else {
            files.add(checkpoint);
        }
        for (Path file : new Path[] {vae, ownConfig(), config}) {
            if (file != null) {
                files.add(file);
            }
        }
        StringBuilder key = new StringBuilder();
        files.forEach(file -> key.append(identityOf(file)).append('\n'));
        return key.toString();
    }

    /** The same for one file. */
    public static String identityOf(Path path) {
        try {
            BasicFileAttributes attributes = Files.readAttributes(path, BasicFileAttributes.class);
            return path.toAbsolutePath().normalize() + " " + attributes.size() + " " + attributes.lastModifiedTime() + " " + attributes.fileKey();
        } catch (IOException e) {
            // What is wrong with it is told when it is opened.
            return path.toAbsolutePath().normalize().toString();
        }
    }
}
