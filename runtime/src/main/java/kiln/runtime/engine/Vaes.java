package kiln.runtime.engine;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import kiln.weights.ModelCatalog;

/**
 * The autoencoders that can take the place of a checkpoint's own, and which one does, as A1111 decides it. Every call looks anew at the
 * folders. Safe from any thread.
 */
public final class Vaes {
    /** What a model asks for, else the file of its name, else its own. */
    public static final String AUTOMATIC = "Automatic";

    /** The checkpoint's own. */
    public static final String NONE = "None";

    private static final long MAX_METADATA_BYTES = 1 << 20;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final List<Path> checkpoints;
    private final List<Path> checkpointFolders;
    private final ModelOptions options;

    /**
     * A VAE's file.
     *
     * @param name its file name, by which settings and pictures' parameters call it
     */
    public record Entry(Path path, String name, long bytes) {
        public Entry {
            Objects.requireNonNull(path, "path");
            Objects.requireNonNull(name, "name");
        }
    }

    /**
     * Which VAE is used.
     *
     * @param vae {@code null} for the checkpoint's own
     * @param notice what a person should be told in a line: a VAE that was asked for and is not there; {@code null} as a rule
     */
    public record Choice(Entry vae, String notice) {
        public Path path() {
            return vae == null ? null : vae.path();
        }
    }

    Vaes(List<Path> checkpoints, List<Path> checkpointFolders, ModelOptions options) {
        this.checkpoints = List.copyOf(checkpoints);
        this.checkpointFolders = List.copyOf(checkpointFolders);
        this.options = options;
    }

    /**
     * All of them in the natural order of their names: {@code *.vae.ckpt}, {@code *.vae.pt} and {@code *.vae.safetensors} in the
     * checkpoints' folders, all files in those of VAEs, and the one that was named. Of several files of one name the last found counts.
     */
    public List<Entry> list() {
        List<Entry> entries = new ArrayList<>();
        ModelCatalog.vaes(checkpoints, checkpointFolders, options.vaeFolders()).forEach(file ->
                entries.add(new Entry(file.path(), file.path().getFileName().toString(), file.bytes())));
        return entries;
    }

    /** The VAE of that file name, in A1111's spelling or without its extensions, any case. */
    public Optional<Entry> find(String name) {
        List<Entry> entries = list();
        return entries.stream().filter(entry -> entry.name().equals(name)).findFirst()
                .or(() -> entries.stream().filter(entry -> entry.name().equalsIgnoreCase(name)).findFirst())
                .or(() -> entries.stream().filter(entry -> stem(entry.name()).equalsIgnoreCase(name)).findFirst());
    }

    private static String stem(String name) {
        return name.replaceFirst("(?i)(\\.vae)?\\.(ckpt|pt|safetensors)$", "");
    }

    /**
     * The VAE for a checkpoint.
     *
     * @param setting A1111's {@code sd_vae}: {@link #AUTOMATIC}, {@link #NONE} or a name
     */
    public Choice choose(Path checkpoint, String setting) {
        if (options.vaeFile() != null) {
            return new Choice(entry(options.vaeFile()), null);
        }
        boolean automatic = setting.equalsIgnoreCase(AUTOMATIC) || setting.equalsIgnoreCase("auto");
        if (options.vaeOverridesModel() && !automatic) {
            return named(setting);
        }
        String wanted = metadataVae(checkpoint);
        if (NONE.equals(wanted)) {
            return new Choice(null, null);
        }
        List<Entry> entries = list();
        if (wanted != null && !wanted.equals(AUTOMATIC)) {
            Optional<Entry> found = entries.stream().filter(entry -> entry.name().equals(wanted)).findFirst();
            if (found.isPresent()) {
                return new Choice(found.get(), null);
            }
        }
        // Not "equals": the VAE of model2 is taken for model as well, as in A1111.
        String stem = ModelCatalog.stemOf(checkpoint);
        Optional<Entry> near = entries.stream().filter(entry -> entry.name().startsWith(stem)).findFirst();
        return near.isPresent() || automatic ? new Choice(near.orElse(null), null) : named(setting);
    }

    private Choice named(String setting) {
        if (setting.equalsIgnoreCase(NONE)) {
            return new Choice(null, null);
        }
        return find(setting)
                .map(entry -> new Choice(entry, null))
                .orElseGet(() -> new Choice(
                        null, "no VAE is called " + setting + ": the model's own is used (kiln models lists those that were found)"));
    }

    private static Entry entry(Path file) {
        long bytes;
        try {
            bytes = Files.size(file);
        } catch (IOException e) {
            // What is wrong with it is told when it is opened.
            bytes = 0;
        }
        return new Entry(file, file.getFileName().toString(), bytes);
    }

    /** What the file that A1111 keeps for a person's notes on a model says of its VAE; {@code null} when there is none. */
    private static String metadataVae(Path checkpoint) {
        Path file = checkpoint.resolveSibling(ModelCatalog.stemOf(checkpoint) + ".json");
        try {
            if (!Files.isRegularFile(file) || Files.size(file) > MAX_METADATA_BYTES) {
                return null;
            }
            JsonNode vae = JSON.readTree(Files.readAllBytes(file)).path("vae");
            return vae.isTextual() && !vae.asText().isBlank() ? vae.asText() : null;
        } catch (IOException e) {
            // Notes that cannot be read say nothing.
            return null;
        }
    }
}
