package kiln.runtime.engine;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import kiln.runtime.base.KilnException;
import kiln.runtime.base.KilnException.Category;
import kiln.runtime.family.ModelFiles;
import kiln.runtime.family.ModelSource;
import kiln.weights.CheckpointKind;
import kiln.weights.ModelCatalog;
import kiln.weights.ModelHashes;
import kiln.weights.WeightsException;
import kiln.weights.WeightsFile;

/**
 * The checkpoints that can be chosen: what is named, what the folders hold, and the demo model; and what completes them. Every call looks
 * anew; nothing is computed and no device is opened. Safe from any thread.
 */
public final class Models {
    private final List<Path> files;
    private final List<Path> folders;
    private final Path demo;
    private final ModelOptions options;
    private final Vaes vaes;
    private final ModelHashes hashes;

    /**
     * A checkpoint that was found.
     *
     * @param name its path below the folder that was searched
     * @param title as pictures' parameters name it: with its hash where that is known
     * @param stem the file name without folder and extension
     * @param demo whether it is the bundled one
     */
    public record Entry(Path path, String name, String title, String stem, long bytes, boolean demo) {
        public Entry {
            Objects.requireNonNull(path, "path");
            Objects.requireNonNull(name, "name");
            Objects.requireNonNull(title, "title");
            Objects.requireNonNull(stem, "stem");
        }
    }

    /**
     * What a checkpoint's file tells of itself.
     *
     * @param kind for people: "SD 1.x"
     * @param usable whether it makes pictures by itself
     * @param sha256 {@code null} while nobody has computed it
     * @param shortHash its beginning, as titles have it; {@code null} with it
     * @param legacyHash the 8 digits of older programs; {@code null} when the file cannot be read
     * @param error why the file cannot be read, {@code null} when it can
     */
    public record Description(String kind, boolean usable, String sha256, String shortHash, String legacyHash, String error) {
        public Description {
            Objects.requireNonNull(kind, "kind");
        }
    }

    /**
     * @param files checkpoints named by the user; the first is the default model
     * @param folders searched in order; they need not exist
     * @param demo the bundled model, {@code null} when it was left out
     * @param cacheFolder of hashes
     * @param options how they are completed and known
     */
    public Models(List<Path> files, List<Path> folders, Path demo, Path cacheFolder, ModelOptions options) {
        this.files = List.copyOf(files);
        this.folders = List.copyOf(folders);
        this.demo = demo;
        this.options = options;
        vaes = new Vaes(files, folders, options);
        hashes = new ModelHashes(cacheFolder, options.hashes());
    }

    public Models(EngineOptions options) {
        this(options.modelFiles(), options.modelFolders(), options.demoModel(), options.cacheFolder(), options.models());
    }

    /** Whether the path is a folder that is a model, as the diffusers library writes one. */
    public static boolean isFolder(Path path) {
        return ModelCatalog.isDiffusersFolder(path);
    }

    /** What can take the place of a checkpoint's autoencoder. */
    public Vaes vaes() {
        return vaes;
    }

    /** Everything that is opened for a checkpoint and a VAE, which is {@code null} for the checkpoint's own. */
    ModelSource source(Path checkpoint, Path vae) {
        return new ModelSource(checkpoint, vae, options.config());
    }

    private ModelCatalog scan() {
        List<Path> places = new ArrayList<>(files);
        places.addAll(folders);
        if (demo != null) {
            places.add(demo);
        }
        return ModelCatalog.scan(places, hashes);
    }

    private Entry entry(ModelCatalog catalog, ModelCatalog.Model model) {
        return new Entry(model.path(), model.name(), catalog.title(model), model.stem(), model.bytes(), isDemo(model.path()));
    }

    /** All of them, in the natural order of their names: {@code v2} before {@code v10}. */
    public List<Entry> list() {
        ModelCatalog catalog = scan();
        return catalog.models().stream().map(model -> entry(catalog, model)).toList();
    }

    /** What a person or a picture's parameters mean: by name, file name, title or hash, else the shortest title with the text in it. */
    public Optional<Entry> find(String text) {
        ModelCatalog catalog = scan();
        return catalog.find(text).map(model -> entry(catalog, model));
    }

    /**
     * The model of requests that name none: the first that was named, else the first of {@link #list()}, the demo model only when there
     * is no other.
     *
     * @throws KilnException NOT_FOUND when there is none
     */
    public Path defaultModel() {
        if (!files.isEmpty()) {
            return files.get(0);
        }
        List<ModelCatalog.Model> models = scan().models();
        return models.stream()
                .filter(model -> !isDemo(model.path()))
                .findFirst()
                .or(() -> models.stream().findFirst())
                .map(ModelCatalog.Model::path)
                .orElseThrow(() -> new KilnException(
                        Category.NOT_FOUND,
                        "no model found in " + folders + ": put a .safetensors or .ckpt file there, or name one with --ckpt"));
    }

    /** Whether this is the bundled model. */
    public boolean isDemo(Path checkpoint) {
        return demo != null && demo.toAbsolutePath().equals(checkpoint.toAbsolutePath());
    }

    /**
     * Opens the file and looks; what is wrong with it is part of the answer.
     *
     * @param hash whether to read all of it when its SHA-256 is not known yet
     */
    public Description describe(Path checkpoint, boolean hash) {
        if (Files.isDirectory(checkpoint)) {
            return describeFolder(checkpoint);
        }
        try (WeightsFile weights = WeightsFile.open(checkpoint)) {
            CheckpointKind kind = CheckpointKind.of(weights);
            String sha256 = hash ? hashes.sha256(checkpoint) : hashes.cachedSha256(checkpoint).orElse(null);
            String shortHash = sha256 == null ? null : ModelHashes.shortHash(sha256);
            return new Description(kind.displayName(), kind.isModel(), sha256, shortHash, ModelHashes.legacyHash(checkpoint), null);
        } catch (WeightsException e) {
            return new Description("unreadable", false, null, null, null, e.getMessage());
        }
    }

    /** A folder has no hash by which other programs know it. */
    private static Description describeFolder(Path folder) {
        try (ModelFiles files = ModelFiles.open(folder)) {
            return new Description(files.kind().displayName() + " (diffusers)", files.kind().isModel(), null, null, null, null);
        } catch (KilnException e) {
            return new Description("unreadable", false, null, null, null, e.getMessage());
        }
    }

    /** As {@link #presetsOf}, with {@code --config} where it applies. */
    public ModelPresets presets(Path checkpoint) {
        try (ModelFiles files = ModelFiles.open(source(checkpoint, null))) {
            return new ModelPresets(files.defaults());
        }
    }

    /**
     * What a checkpoint's metadata presets; reads its header only.
     *
     * @throws KilnException when the file is missing, unreadable or broken: one line with its name
     */
    public static ModelPresets presetsOf(Path checkpoint) {
        try (ModelFiles file = ModelFiles.open(checkpoint)) {
            return new ModelPresets(file.defaults());
        }
    }
}
